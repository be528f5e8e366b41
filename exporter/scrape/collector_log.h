// Logs the errors and notices of collectors, once rather than in every scrape.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "collectors/support/collector.h"
#include "exporter/log/log.h"

namespace inetdiag {

class CollectorLog {
 public:
  explicit CollectorLog(const Log& log) : log_(log) {}

  /// Logs an error when it first occurs or changes, and the recovery once `error` is empty again.
  void log_result(const std::string& collector, const std::string& error);

  /// Logs each missing feature and each setting without effect once.
  void log_notices(const std::string& collector, const Collection& collection);

  void log_out_of_memory() { log_.error("out of memory while reporting a collector failure"); }

  /// Stops logging results: the errors of interrupted collectors are not errors of the host.
  void stop();

 private:
  bool is_new(const std::string& notice);

  const Log& log_;
  std::mutex mutex_;
  bool is_stopped_ = false;
  std::map<std::string, std::string> last_error_;  ///< by collector
  std::set<std::string> logged_notices_;
};

}  // namespace inetdiag
