#include "core/config/arguments.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdlib>
#include <map>

#include "core/base/error.h"
#include "core/base/strings.h"

// One of the two files that see Program_options or yaml-cpp: it splits the words; the tables give them their meaning.

namespace skytools::config {

namespace {

namespace po = boost::program_options;

/// What a flag on the command line stands for.
struct Meaning {
  const Option* option;
  bool negated = false;  ///< --no-FLAG
};
using Meanings = std::map<std::string, Meaning, std::less<>>;

bool has_negation(const Option& option) { return option.type == Type::boolean && option.fallback == "true"; }

/// Long flags and letters of the tables; what an earlier table took stays its own.
Meanings meanings_of(const std::vector<Options>& tables) {
  Meanings meanings;
  for (Options table : tables) {
    for (const Option& option : table) {
      std::string name = flag_name(option);
      if (!meanings.emplace(name, Meaning{&option}).second) continue;
      if (has_negation(option)) meanings.emplace("no-" + name, Meaning{&option, true});
      if (option.letter) meanings.emplace(std::string{'-', option.letter}, Meaning{&option});
    }
  }
  return meanings;
}

po::options_description describe(const Meanings& meanings) {
  po::options_description all;
  for (auto& [name, meaning] : meanings) {
    if (name.starts_with('-')) continue;
    std::string names = name;
    std::string letter = {'-', meaning.option->letter};
    auto short_form = meanings.find(letter);
    if (meaning.option->letter && short_form != meanings.end() && short_form->second.option == meaning.option &&
        !meaning.negated)
      names += std::string(",") + meaning.option->letter;
    if (takes_value(*meaning.option))
      all.add_options()(names.c_str(), po::value<std::string>());
    else
      all.add_options()(names.c_str(), new po::untyped_value(true));
  }
  return all;
}

[[noreturn]] void unknown_flag(const std::string& given, const Meanings& meanings) {
  std::string bare = given.substr(std::min(given.find_first_not_of('-'), given.size()));
  std::vector<std::string> names;
  for (auto& [name, meaning] : meanings)
    if (!name.starts_with('-')) names.push_back(name);
  std::string text = "unknown option " + (given.starts_with('-') ? given : "--" + given);
  std::string near = bare.size() > 1 ? closest(bare, names) : "";
  throw UsageError(text + (near.empty() ? "" : "; did you mean --" + near + "?"));
}

std::vector<po::option> split_words(const Meanings& meanings, const std::vector<std::string>& argv) {
  namespace style = po::command_line_style;
  try {
    auto known = describe(meanings);
    return po::command_line_parser(argv).options(known).style(style::unix_style & ~style::allow_guessing).run().options;
  } catch (const po::unknown_option& e) {
    unknown_flag(e.get_option_name(), meanings);
  } catch (const po::invalid_command_line_syntax& e) {
    std::string flag = e.get_option_name();
    switch (e.kind()) {
      case po::invalid_syntax::missing_parameter:
      case po::invalid_syntax::empty_adjacent_parameter:
        throw UsageError("option " + flag + " needs a value");
      case po::invalid_syntax::extra_parameter:
        throw UsageError("option " + flag + " takes no value");
      default:
        throw UsageError(e.what());
    }
  } catch (const po::error& e) {
    throw UsageError(e.what());
  }
}

void add_flag(Layer& flags, const Meaning& meaning, const po::option& given) {
  const Option& option = *meaning.option;
  Value& value = flags[std::string(option.key)];
  value.origin = "flag --" + flag_name(option);
  if (option.type == Type::boolean)
    value.items = {meaning.negated ? "false" : "true"};
  else if (option.type == Type::count)
    value.items = {std::to_string(value.items.empty() ? 1 : std::stoi(value.items[0]) + 1)};
  else if (option.type == Type::list)
    value.items.push_back(given.value.at(0));
  else
    value.items = {given.value.at(0)};
}

}  // namespace

Arguments parse_arguments(const std::vector<Options>& tables, const std::vector<std::string>& argv) {
  Meanings meanings = meanings_of(tables);
  Arguments result;
  for (const po::option& given : split_words(meanings, argv)) {
    if (given.position_key != -1 || given.string_key.empty()) {
      result.words.insert(result.words.end(), given.value.begin(), given.value.end());
    } else {
      auto meaning = meanings.find(given.string_key);
      if (meaning == meanings.end()) unknown_flag(given.string_key, meanings);
      add_flag(result.flags, meaning->second, given);
    }
  }
  return result;
}

Layer override_layer(const std::vector<std::string>& entries, const std::vector<Options>& tables) {
  Layer layer;
  for (const std::string& entry : entries) {
    auto equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) throw UsageError("--set wants KEY=VALUE, not '" + entry + "'");
    std::string key(trim(entry.substr(0, equals))), text = entry.substr(equals + 1);
    const Option* option = find_key(tables, key);
    if (!option || option->where != Where::everywhere) {
      std::string near = closest(key, keys_for_files(tables));
      throw UsageError("--set: unknown key '" + key + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
    layer[key] = {option->type == Type::list ? split(text, ',') : std::vector{text}, "flag --set " + key};
  }
  return layer;
}

const Option* find_flag(std::span<const Options> tables, std::string_view argument) {
  bool is_long = argument.starts_with("--");
  std::string_view name = is_long ? argument.substr(2, argument.find('=') - 2) : argument;
  for (Options table : tables) {
    for (const Option& option : table) {
      if (is_long ? flag_name(option) == name || (has_negation(option) && "no-" + flag_name(option) == name)
                  : option.letter && argument.size() > 1 && argument[1] == option.letter)
        return &option;
    }
  }
  return nullptr;
}

Layer environment_layer(const std::vector<Options>& tables) {
  Layer layer;
  for (Options table : tables) {
    for (const Option& option : table) {
      if (option.where == Where::flag && option.environment.empty()) continue;
      std::string name = environment_name(option);
      const char* text = std::getenv(name.c_str());
      if (!text || !*text) continue;
      layer[std::string(option.key)] = {option.type == Type::list ? split(text, ',') : std::vector<std::string>{text},
                                        "env " + name};
    }
  }
  return layer;
}

}  // namespace skytools::config
