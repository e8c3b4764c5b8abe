#include "core/consumer/event_json.h"

#include "core/log/encode.h"

namespace skytools::consumer {

EventJson::EventJson(const std::string& queue, const std::string& consumer)
    : who_(", \"queue\": " + log::json_quote(queue) + ", \"consumer\": " + log::json_quote(consumer)) {}

void EventJson::set_batch(const pgq::Batch& batch) {
  tail_ = who_ + ", \"batch\": " + std::to_string(batch.id) + ", \"tick\": " + std::to_string(batch.tick) + "}\n";
}

void EventJson::append(const pgq::Event& e, std::string& out) const {
  out += "{\"id\": " + std::to_string(e.id) + ", \"time\": " + log::json_quote(pgq::iso_time(e.time));
  out += ", \"txid\": " + (e.txid ? std::to_string(e.txid) : "null");
  out += ", \"retry\": " + (e.retry ? std::to_string(*e.retry) : "null");
  out += ", \"type\": " + log::json_quote(e.type);
  out += ", \"data\": " + (e.data_null ? "null" : log::json_quote(e.data));
  for (std::size_t i = 0; i < e.extra.size(); ++i) {
    out += ", \"extra" + std::to_string(i + 1) + "\": ";
    out += e.extra[i] ? log::json_quote(*e.extra[i]) : "null";
  }
  out += tail_;
}

}  // namespace skytools::consumer
