#include "tests/support/relay.h"

#include <libpq-fe.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "core/base/error.h"
#include "core/pg/connection.h"

namespace skytools::test {

namespace {

constexpr std::size_t kHoldBytes = 64 * 1024;  ///< per direction; a delayed link holds that much per delay
constexpr int kSocketBuffer = 64 * 1024;       ///< fixed, so that the kernel cannot grow it to megabytes

std::string keyword_of(const std::string& conninfo, std::string_view keyword) {
  std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> all(PQconninfoParse(conninfo.c_str(), nullptr),
                                                                   &PQconninfoFree);
  for (auto* o = all.get(); o && o->keyword; ++o)
    if (keyword == o->keyword && o->val) return o->val;
  throw Error("a relay needs a connect string with " + std::string(keyword));
}

int checked(int result, const char* what) {
  if (result < 0) throw Error(std::string(what) + ": " + std::strerror(errno));
  return result;
}

void small_buffers(int fd) {
  for (int which : {SO_RCVBUF, SO_SNDBUF}) setsockopt(fd, SOL_SOCKET, which, &kSocketBuffer, sizeof kSocketBuffer);
}

int connect_unix(const std::string& path) {
  int fd = checked(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  small_buffers(fd);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

}  // namespace

Relay::Relay(const std::string& conninfo)
    : server_path_(keyword_of(conninfo, "host") + "/.s.PGSQL." + keyword_of(conninfo, "port")) {
  listener_ = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
  wake_ = checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  small_buffers(listener_);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  checked(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), "bind");
  checked(listen(listener_, 50), "listen");
  checked(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  conninfo_ = pg::with_keyword(pg::with_keyword(conninfo, "host", "127.0.0.1"), "port",
                               std::to_string(ntohs(address.sin_port)));
  thread_ = std::thread([this] { loop(); });
}

Relay::~Relay() {
  change([this] { ending_ = true; });
  thread_.join();
  for (auto& link : links_) close_link(link);
  close(listener_);
  close(wake_);
}

template <class F>
void Relay::change(F&& f) {
  {
    std::lock_guard lock(mutex_);
    f();
  }
  eventfd_write(wake_, 1);
}

void Relay::pass() {
  change([this] { behaviour_ = {}; });
}
void Relay::delay(milliseconds one_way) {
  change([&] { behaviour_.delay = one_way; });
}
void Relay::limit(std::int64_t bytes_per_second) {
  change([&] { behaviour_.rate = bytes_per_second; });
}
void Relay::stall() {
  change([this] { behaviour_.stalled = true; });
}
void Relay::swallow() {
  change([this] { behaviour_.swallowing = true; });
}
void Relay::cut() {
  change([this] { cut_ = true; });
}
void Relay::trap(const std::string& text, Trap when) {
  change([&] { trap_.emplace(text, when); });
}

void Relay::close_link(Link& link) {
  close(link.client);
  close(link.server);
}

void Relay::accept_link() {
  int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (client < 0) return;
  int on = 1;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int server = connect_unix(server_path_);
  if (server < 0) {
    close(client);
    return;
  }
  links_.push_back({client, server, {client, server, to_server_}, {server, client, to_client_}});
}

bool Relay::read_into(Link& link, Direction& d, const Behaviour& b) {
  char buffer[16 * 1024];
  ssize_t n = recv(d.from, buffer, sizeof buffer, 0);
  if (n == 0) return false;
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (b.swallowing) return true;
  bool upward = &d == &link.up;
  if (!upward && link.condemned) return false;
  std::string bytes(buffer, static_cast<std::size_t>(n));
  if (upward) {
    std::lock_guard lock(mutex_);
    if (trap_ && bytes.find(trap_->first) != std::string::npos) {
      if (trap_->second == Trap::before) {
        trap_.reset();
        return false;
      }
      trap_.reset();
      link.condemned = true;
    }
  }
  d.held_bytes += bytes.size();
  d.held.push_back({Clock::now() + b.delay, std::move(bytes)});
  return true;
}

bool Relay::write_from(Direction& d, const Behaviour& b) {
  while (!d.held.empty() && d.held.front().due <= Clock::now() && d.next_write <= Clock::now()) {
    std::string& bytes = d.held.front().bytes;
    // A tenth of a second's worth at a time, so that a limited link flows evenly.
    std::size_t most = b.rate ? std::max<std::size_t>(1, static_cast<std::size_t>(b.rate) / 10) : bytes.size();
    ssize_t n = send(d.to, bytes.data(), std::min(most, bytes.size()), MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    auto sent = static_cast<std::size_t>(n);
    d.passed += n;
    d.held_bytes -= sent;
    bytes.erase(0, sent);
    if (bytes.empty()) d.held.pop_front();
    // Counted from when this write was due: a late wake-up does not slow the link down.
    auto due = std::max(d.next_write, Clock::now() - milliseconds(100));
    if (b.rate) d.next_write = due + std::chrono::microseconds(1'000'000 * n / b.rate);
  }
  return true;
}

void Relay::loop() {
  for (;;) {
    Behaviour b;
    bool cut_now;
    {
      std::lock_guard lock(mutex_);
      if (ending_) return;
      b = behaviour_;
      cut_now = std::exchange(cut_, false);
    }
    if (cut_now) {
      for (auto& link : links_) close_link(link);
      links_.clear();
    }
    std::vector<pollfd> p{{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
    auto now = Clock::now();
    int timeout = 1000;
    for (auto& link : links_) {
      short client = 0, server = 0;
      for (auto* d : {&link.up, &link.down}) {
        short& in = d == &link.up ? client : server;
        short& out = d == &link.up ? server : client;
        if (!b.stalled && (d->held_bytes < kHoldBytes || b.swallowing)) in |= POLLIN;
        if (d->held.empty() || b.stalled) continue;
        auto due = std::max(d->held.front().due, d->next_write);
        if (due <= now) out |= POLLOUT;
        if (due > now)
          timeout = std::min(timeout, static_cast<int>(std::chrono::ceil<milliseconds>(due - now).count()));
      }
      // A negative descriptor is left out: poll() would report the hang-up of a stalled link again and again.
      p.push_back({client ? link.client : -1, client, 0});
      p.push_back({server ? link.server : -1, server, 0});
    }
    poll(p.data(), p.size(), timeout);
    eventfd_t ignored;
    eventfd_read(wake_, &ignored);
    std::size_t at = 2;
    for (auto link = links_.begin(); link != links_.end(); at += 2) {
      short client = p[at].revents, server = p[at + 1].revents;
      constexpr short kIn = POLLIN | POLLHUP | POLLERR;
      bool alive =
          (!(client & kIn) || read_into(*link, link->up, b)) && (!(server & kIn) || read_into(*link, link->down, b));
      alive = alive && (b.stalled || (write_from(link->up, b) && write_from(link->down, b)));
      if (alive) {
        ++link;
        continue;
      }
      close_link(*link);
      link = links_.erase(link);
    }
    if (p[1].revents) accept_link();
  }
}

}  // namespace skytools::test
