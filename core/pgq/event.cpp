#include "core/pgq/event.h"

namespace skytools::pgq {

std::string iso_time(const std::string& time) {
  if (time.size() < 20 || time[10] != ' ' || time.ends_with("BC")) return time;
  std::string out = time;
  out[10] = 'T';
  auto zone = out.find_last_of("+-");
  if (zone != std::string::npos && zone > 10 && out.size() - zone == 3) out += ":00";
  return out;
}

}  // namespace skytools::pgq
