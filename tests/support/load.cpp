#include "tests/support/load.h"

#include "core/base/error.h"

namespace skytools::test {

namespace {
constexpr const char* kScript =
    "\\set id random(1, 4000)\n"
    "\\set other random(1, 4000)\n"
    "\\set n random(1, 1000)\n"
    "begin;\n"
    "insert into stock values (:id, :n, 'new & \"odd\" \\\\ text') on conflict (id) do update set n = stock.n + 1, "
    "note = null;\n"
    "update stock set n = n + :n where id between :other and :other + 3;\n"
    "delete from stock where id = :other;\n"
    "insert into sales (stock_id, note) values (:id, repeat('y', :n));\n"
    "update sales set note = 'changed' where id = (select max(id) from sales) - :n;\n"
    "end;\n";
}

Load::Load(const std::string& conninfo, int transactions_per_second, const std::string& script)
    : conninfo_(conninfo),
      script_("load.sql", script.empty() ? kScript : script),
      thread_([this, rate = transactions_per_second] { loop(rate); }) {}

void Load::loop(int rate) {
  std::string program = run::server_binaries() / "pgbench";
  while (!stop_) {
    // Short runs: a crashed server, or a deadlock between two clients, only ends one of them.
    Output o = run_program({program, "-n", "-f", script_.path, "-c", "2", "-R", std::to_string(rate), "-t",
                            std::to_string(std::max(1, rate / 4)), "--max-tries", "50", conninfo_},
                           {.limit = std::chrono::seconds(60)});
    if (o.exit == 0)
      ++done_;
    else
      std::this_thread::sleep_for(milliseconds(100));
  }
}

void Load::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace skytools::test
