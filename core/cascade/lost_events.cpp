#include "core/cascade/lost_events.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/log/encode.h"
#include "core/pgq/api.h"
#include "core/pgq/event_stream.h"

namespace skytools::cascade {

namespace {

/// Changes of the set are what people have to look at; the cascade's own events it makes again.
bool is_change(std::string_view type) { return !type.starts_with("pgq.") && type != "londiste.update-seq"; }

class File {
 public:
  explicit File(const std::string& name) : name_(name), part_(name + ".part"), out_(part_, std::ios::binary) {
    check();
    out_ << "[\n";
  }
  void add(const pgq::Event& e, const pgq::Batch& batch) {
    auto text = [](const std::optional<std::string>& value) { return value ? log::json_quote(*value) : "null"; };
    if (count_++) out_ << ",\n";
    out_ << "{\"ev_id\": " << e.id << ", \"ev_type\": " << log::json_quote(e.type)
         << ", \"ev_data\": " << (e.data_null ? "null" : log::json_quote(e.data));
    for (std::size_t i = 0; i < e.extra.size(); ++i) out_ << ", \"ev_extra" << i + 1 << "\": " << text(e.extra[i]);
    out_ << ", \"ev_time\": " << log::json_quote(pgq::iso_time(e.time)) << ", \"ev_txid\": " << e.txid
         << ", \"ev_retry\": " << (e.retry ? std::to_string(*e.retry) : "null") << ", \"tick_id\": " << batch.tick
         << ", \"prev_tick_id\": " << batch.prev_tick << "}";
    check();
  }
  void finish() {
    out_ << "\n]\n";
    out_.close();
    check();
    sync(part_);
    std::error_code failed;
    std::filesystem::rename(part_, name_, failed);
    if (failed) throw Error(name_ + ": " + failed.message());
    auto folder = std::filesystem::absolute(name_).parent_path();
    sync(folder);
  }

 private:
  void check() const {
    if (!out_) throw Error("cannot write " + part_ + ": " + std::strerror(errno));
  }
  static void sync(const std::string& path) {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (!ok) throw Error("cannot write " + path + " to disk: " + std::strerror(errno));
  }

  std::string name_, part_;
  std::ofstream out_;
  std::int64_t count_ = 0;
};

}  // namespace

LostEvents dump_events(pg::Connection& c, const std::string& queue, const std::string& consumer,
                       const std::string& file) {
  LostEvents lost;
  File out(file);
  for (;;) {
    pg::Transaction tx(c);
    auto batch = pgq::next_batch(tx, queue, consumer);
    if (!batch) break;
    pgq::EventStream events(tx, batch->id);
    while (const pgq::Event* e = events.next()) {
      ++lost.events;
      lost.changes += is_change(e->type);
      out.add(*e, *batch);
    }
    pgq::finish_batch(tx, batch->id);
    tx.commit();
  }
  out.finish();
  return lost;
}

LostEvents count_events(const std::string& file) {
  constexpr std::string_view kType = "\"ev_type\": \"";
  LostEvents lost;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    auto at = line.find(kType);
    if (!line.starts_with("{\"ev_id\"") || at == std::string::npos) continue;
    ++lost.events;
    std::string_view type = std::string_view(line).substr(at + kType.size());
    lost.changes += is_change(type.substr(0, type.find('"')));
  }
  return lost;
}

}  // namespace skytools::cascade
