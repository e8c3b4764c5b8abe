#include "core/londiste/handler.h"

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/log/log.h"
#include "core/londiste/decode.h"

namespace skytools::londiste {

namespace {

using Arguments = std::map<std::string, std::string>;

/// The default: apply every change to the destination table.
class PlainHandler : public Handler {
 public:
  PlainHandler(const Table& table, const Arguments& args) : name_(table.name), dest_(table.dest) {
    auto it = args.find("ignore_truncate");
    ignore_truncate_ = it != args.end() && it->second != "0";
  }
  void plan(const pgq::Event& e, ApplyPlan& plan) override {
    auto change = decode_change(e);
    if (!change) return;
    if (ignore_truncate_ && std::holds_alternative<Truncate>(*change)) {
      log::info("ignoring truncate for " + name_);
      return;
    }
    plan.push_back({e.id, e.txid, dest_, std::move(*change)});
  }

 private:
  std::string name_;
  TableName dest_;
  bool ignore_truncate_ = false;
};

template <class T>
std::unique_ptr<Handler> make(const Table& table, const Arguments& args) {
  return std::make_unique<T>(table, args);
}

struct HandlerKind {
  std::string_view name, arguments, help;
  std::unique_ptr<Handler> (*make)(const Table&, const Arguments&);
};
constexpr HandlerKind kHandlers[] = {
    {"londiste", "encoding,ignore_truncate", "applies every change as it is", make<PlainHandler>},
};

/// `NAME(urlencoded arguments)`; a comma inside the parentheses is accepted like `&`.
std::pair<std::string, Arguments> parse_spec(const std::string& spec) {
  auto open = spec.find('(');
  if (open == std::string::npos || spec.back() != ')') return {spec, {}};
  std::string inner = spec.substr(open + 1, spec.size() - open - 2);
  for (char& c : inner)
    if (c == ',') c = '&';
  Arguments args;
  for (auto& field : decode_row(inner)) args[field.name] = field.value.value_or("");
  return {spec.substr(0, open), args};
}

}  // namespace

std::unique_ptr<Handler> make_handler(const Table& table) {
  auto [name, args] = parse_spec(table.attribute("handler"));
  if (name.empty()) name = "londiste";
  for (auto& kind : kHandlers) {
    if (kind.name != name) continue;
    auto known = split(kind.arguments, ',');
    for (auto& [key, value] : args)
      if (std::find(known.begin(), known.end(), key) == known.end())
        throw Error("handler " + name + " of table " + table.name + " has no argument '" + key + "'");
    return kind.make(table, args);
  }
  throw Error("table " + table.name + " has handler '" + name + "', which this version does not have");
}

}  // namespace skytools::londiste
