#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/base/deadline.h"

namespace skytools::test {

/// A TCP door to a PostgreSQL server that can be slow, mute or break, for network faults. One thread moves the bytes;
/// buffers are small (64 kB each way), so a slow side is felt by the other one at once.
class Relay {
 public:
  /// @param conninfo  the server behind the door: host must be a socket folder
  explicit Relay(const std::string& conninfo);
  ~Relay();
  /// The way through the door: same database and user.
  const std::string& conninfo() const { return conninfo_; }

  void pass();                                ///< ends delay, limit, stall and swallow
  void delay(milliseconds one_way);           ///< every byte arrives this much later
  void limit(std::int64_t bytes_per_second);  ///< each way
  void stall();                               ///< nothing is read any more; new links are accepted and stay mute
  void swallow();                             ///< bytes are read and thrown away
  void cut();                                 ///< closes the links there are; new ones work
  enum class Trap { before, after };
  /// The next time a client sends `text` in one piece its link is cut: before the server gets it, or after the server's
  /// answer to it has been thrown away.
  void trap(const std::string& text, Trap when);

  std::int64_t to_server() const { return to_server_; }  ///< bytes passed on
  std::int64_t to_client() const { return to_client_; }

 private:
  struct Piece {
    Clock::time_point due;
    std::string bytes;
  };
  /// One way of a link.
  struct Direction {
    int from, to;
    std::atomic<std::int64_t>& passed;
    std::deque<Piece> held = {};
    std::size_t held_bytes = 0;
    Clock::time_point next_write = {};  ///< not before, when the rate is limited
  };
  struct Link {
    int client, server;
    Direction up, down;
    bool condemned = false;  ///< the next answer is thrown away and the link cut
  };
  struct Behaviour {
    milliseconds delay{0};
    std::int64_t rate = 0;
    bool stalled = false, swallowing = false;
  };
  void loop();
  void accept_link();
  bool read_into(Link& link, Direction& d, const Behaviour& b);  ///< false: the link is done
  bool write_from(Direction& d, const Behaviour& b);             ///< false: the link is done
  void close_link(Link& link);
  template <class F>
  void change(F&& f);

  std::string server_path_, conninfo_;
  int listener_ = -1, wake_ = -1;
  bool ending_ = false;
  std::mutex mutex_;  ///< guards what the test changes: behaviour_, cut_, ending_, trap_
  Behaviour behaviour_;
  bool cut_ = false;
  std::optional<std::pair<std::string, Trap>> trap_;
  std::atomic<std::int64_t> to_server_ = 0, to_client_ = 0;
  std::list<Link> links_;
  std::thread thread_;
};

}  // namespace skytools::test
