#include "tests/support/memory.h"

#include <malloc.h>

#include <fstream>
#include <string>

#include "core/base/error.h"

namespace skytools::test {

std::int64_t memory_peak() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (std::int64_t kilobytes = 0; word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  throw Error("no VmHWM in /proc/self/status");
}

std::int64_t reset_memory_peak() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5" << std::flush;  // proc(5): resets the peak
  return memory_peak();
}

}  // namespace skytools::test
