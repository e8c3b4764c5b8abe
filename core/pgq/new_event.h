#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skytools::pgq {

/// What a producer says of an event; the rest is the server's. nullopt is NULL.
struct NewEvent {
  std::optional<std::string> type, data;
  std::array<std::optional<std::string>, 4> extra;  ///< extra1 … extra4

  std::size_t bytes() const {
    auto size = [](const std::optional<std::string>& text) { return text ? text->size() : 0; };
    return size(type) + size(data) + size(extra[0]) + size(extra[1]) + size(extra[2]) + size(extra[3]);
  }
};

/// An event as it lies in the queue, NULL kept apart from "". Times are ISO with zone.
struct StoredEvent : NewEvent {
  std::int64_t id = 0, txid = 0;
  std::string time;
  std::optional<std::int64_t> retry;
};

/// The fields by the names files use: type, data, extra1 … extra4.
inline constexpr std::array<std::string_view, 6> kEventFields = {"type",   "data",   "extra1",
                                                                 "extra2", "extra3", "extra4"};
inline std::optional<std::string>& field(NewEvent& event, std::size_t i) {
  return i == 0 ? event.type : i == 1 ? event.data : event.extra.at(i - 2);
}
/// Place of that name in kEventFields; nullopt for a name that `consumer print` writes and nobody can send (id, time,
/// …).
/// @throws Error  for any other name, with a suggestion
std::optional<std::size_t> field_named(std::string_view name);

/// Can the server store it? @throws Error  saying what is wrong: a zero byte, or no UTF-8
void check_text(std::string_view text);

/// Reads `{"type": …, "data": …, "extra1": …}`, every key optional. Strings are taken as they are, null is NULL, and
/// everything else as its JSON text, numbers digit by digit as written.
/// @throws Error  saying what is wrong and where in the line
NewEvent parse_json_event(std::string_view line);

}  // namespace skytools::pgq
