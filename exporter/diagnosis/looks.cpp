#include "exporter/diagnosis/looks.h"

#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {

Status Looks::look(const std::vector<prometheus::MetricFamily>& families,
                   std::chrono::steady_clock::time_point time) {
  const auto now =
      std::make_shared<const TimedSnapshot>(TimedSnapshot{time, snapshot_of(families)});
  std::shared_ptr<const TimedSnapshot> before;
  {
    const std::scoped_lock lock(mutex_);
    if (!newer_ || time - newer_->time >= shortest_interval) {
      older_ = newer_;
      newer_ = now;
    }
    // Somebody else may have looked a moment ago: then the look before that one counts.
    before = older_;
    if (before && time - before->time > oldest_look) {
      before.reset();
    }
  }
  return diagnose(*now, before.get());
}

}  // namespace inetdiag::diagnosis
