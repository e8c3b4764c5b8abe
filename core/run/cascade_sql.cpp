#include "core/run/cascade_sql.h"

namespace skytools::run {

namespace {
constexpr const char* kPrepared = "";  // the unnamed statement: behind a transaction pooler no other one is ours

[[noreturn]] void failed(const pg::PipelineError& e) {
  std::string what = e.tag() ? "event " + std::to_string(e.tag()) + " failed: " : "the statement cannot be prepared: ";
  throw pg::SqlError(e.connection(), e.sqlstate(), what + e.message(), e.position());
}
}  // namespace

void CascadeSql::start(cascade::WorkerContext& context) {
  pipeline_.reset();
  pg::Transaction tx(context.target);  // a mistake in the statement shows at once
  pg::Pipeline pipeline(tx);
  try {
    pipeline.prepare(kPrepared, statement_.sql, 0);
    pipeline.sync();
  } catch (const pg::PipelineError& e) {
    failed(e);
  }
}

void CascadeSql::begin(cascade::WorkerContext&, pg::Transaction& target, const pgq::Batch&) {
  pipeline_.emplace(target);
  pipeline_->prepare(kPrepared, statement_.sql, 0);
}

void CascadeSql::event(cascade::WorkerContext&, pg::Transaction&, const pgq::Event& e) {
  try {
    pipeline_->run(kPrepared, consumer::Parameters(statement_, e).values(), e.id);
  } catch (const pg::PipelineError& error) {
    failed(error);
  }
}

void CascadeSql::finish(cascade::WorkerContext&, pg::Transaction&) {
  try {
    pipeline_->sync();
  } catch (const pg::PipelineError& e) {
    failed(e);
  }
  pipeline_.reset();
}

}  // namespace skytools::run
