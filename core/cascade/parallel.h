#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace skytools::cascade {

/// Calls work(0) … work(count - 1) from several threads and returns when all are done. `work` must not throw.
inline void for_each_parallel(std::size_t count, const std::function<void(std::size_t)>& work) {
  constexpr std::size_t kMostThreads = 32;
  std::atomic<std::size_t> next = 0;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < std::min(count, kMostThreads); ++i)
    threads.emplace_back([&] {
      for (std::size_t k; (k = next++) < count;) work(k);
    });
  for (auto& t : threads) t.join();
}

}  // namespace skytools::cascade
