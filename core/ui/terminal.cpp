#include "core/ui/terminal.h"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "core/base/strings.h"

namespace skytools::ui {

bool is_terminal(int fd) { return isatty(fd) == 1; }

bool colour(int fd) {
  const char* off = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return is_terminal(fd) && !(off && *off) && term && std::string_view(term) != "dumb";
}

std::string bold(std::string_view text) {
  return colour(STDOUT_FILENO) ? "\x1b[1m" + std::string(text) + "\x1b[0m" : std::string(text);
}

std::string red(std::string_view text) {
  return colour(STDOUT_FILENO) ? "\x1b[31m" + std::string(text) + "\x1b[0m" : std::string(text);
}

bool ask(std::string_view question) {
  std::cerr << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  answer = lower(trim(answer));
  return answer == "y" || answer == "yes";
}

}  // namespace skytools::ui
