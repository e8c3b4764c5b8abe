#include "core/ui/progress.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "core/base/duration.h"
#include "core/ui/terminal.h"

namespace skytools::ui {

namespace {

constexpr milliseconds kRedraw{100};                        ///< a bar, at most this often
constexpr milliseconds kReport = std::chrono::seconds(10);  ///< whole lines, this often
constexpr std::int64_t kBarWidth = 20;

std::string amount(std::int64_t value, Progress::Unit unit) {
  return unit == Progress::Unit::bytes ? format_size(value) : std::to_string(value) + " rows";
}

}  // namespace

Progress::Progress(std::string what, std::int64_t total, Unit unit, Report report)
    : what_(std::move(what)),
      total_(total),
      unit_(unit),
      report_(std::move(report)),
      bar_(is_terminal(STDERR_FILENO)),
      start_(Clock::now()),
      next_(start_ + (bar_ ? kRedraw : kReport)) {}

Progress::~Progress() { finish(); }

std::string Progress::line(const std::string& what, std::int64_t done, std::int64_t total, Unit unit,
                           milliseconds elapsed) {
  std::int64_t rate = elapsed.count() > 0 ? done * 1000 / elapsed.count() : 0;
  std::string speed = amount(rate, unit) + "/s";
  if (total <= 0) return what + ": " + amount(done, unit) + ", " + speed;
  // The total is an estimate: what exceeds it is still shown as done, never as more than everything.
  std::int64_t percent = std::min<std::int64_t>(100, done * 100 / total);
  std::string text = what + ": " + std::to_string(percent) + " % of " + amount(total, unit) + ", " + speed;
  if (rate > 0 && done < total) text += ", " + format_duration(milliseconds((total - done) * 1000 / rate)) + " left";
  return text;
}

void Progress::advance(std::int64_t amount_done) {
  std::lock_guard lock(mutex_);
  done_ += amount_done;
  if (auto now = Clock::now(); !finished_ && now >= next_) show(now);
}

void Progress::show(Clock::time_point now) {
  next_ = now + (bar_ ? kRedraw : kReport);
  shown_ = true;
  std::string text = line(what_, done_, total_, unit_, std::chrono::duration_cast<milliseconds>(now - start_));
  if (!bar_) return report_(text);
  std::int64_t full = total_ > 0 ? std::min(kBarWidth, done_ * kBarWidth / total_) : 0;
  std::string bar =
      std::string(static_cast<std::size_t>(full), '#') + std::string(static_cast<std::size_t>(kBarWidth - full), '.');
  std::cerr << "\r\x1b[K[" << bar << "] " << text << std::flush;
}

void Progress::finish() {
  std::lock_guard lock(mutex_);
  if (finished_) return;
  finished_ = true;
  if (!shown_) return;
  if (bar_)
    std::cerr << "\r\x1b[K" << std::flush;
  else
    show(Clock::now());
}

}  // namespace skytools::ui
