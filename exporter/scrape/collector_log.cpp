#include "exporter/scrape/collector_log.h"

namespace inetdiag {

void CollectorLog::log_result(const std::string& collector, const std::string& error) {
  {
    // Do not hold the lock while logging: the reader of the log may be slow.
    const std::scoped_lock lock(mutex_);
    std::string& last = last_error_[collector];
    if (is_stopped_ || error == last) {
      return;
    }
    last = error;
  }
  if (error.empty()) {
    log_.info("collector recovered", {{"collector", collector}});
  } else {
    log_.error("collector failed", {{"collector", collector}, {"error", error}});
  }
}

void CollectorLog::log_notices(const std::string& collector, const Collection& collection) {
  for (const std::string& feature : collection.missing) {
    if (is_new(feature)) {
      log_.info("feature missing", {{"collector", collector}, {"feature", feature}});
    }
  }
  for (const SettingError& error : collection.unmatched) {
    if (is_new(collector + " " + error.name + " " + error.what())) {
      log_.warn("setting has no effect",
                {{"collector", collector}, {"setting", error.name}, {"problem", error.what()}});
    }
  }
}

void CollectorLog::stop() {
  const std::scoped_lock lock(mutex_);
  is_stopped_ = true;
}

bool CollectorLog::is_new(const std::string& notice) {
  const std::scoped_lock lock(mutex_);
  return logged_notices_.insert(notice).second;
}

}  // namespace inetdiag
