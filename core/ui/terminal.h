#pragma once
#include <string>
#include <string_view>

namespace skytools::ui {

bool is_terminal(int fd);
/// May colour be used on that descriptor? Only on a terminal, and not under NO_COLOR or TERM=dumb.
bool colour(int fd);
/// The text in bold when colour may be used on stdout.
std::string bold(std::string_view text);
/// The same in red.
std::string red(std::string_view text);
/// Asks on the terminal; true on "y" or "yes". Only call when stdin and stderr are terminals.
bool ask(std::string_view question);

}  // namespace skytools::ui
