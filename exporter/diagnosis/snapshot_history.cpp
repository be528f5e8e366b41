#include "exporter/diagnosis/snapshot_history.h"

#include <utility>

#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {

Status SnapshotHistory::look(TimedSnapshot taken) {
  const auto now = std::make_shared<const TimedSnapshot>(std::move(taken));
  std::shared_ptr<const TimedSnapshot> before;
  {
    const std::scoped_lock lock(mutex_);
    if (!newer_ || now->time - newer_->time >= shortest_interval) {
      older_ = newer_;
      newer_ = now;
    }
    // Somebody else may have looked a moment ago: then the look before that one counts.
    before = older_;
    if (before && now->time - before->time > max_snapshot_age) {
      before.reset();
    }
  }
  return diagnose(*now, before.get());
}

}  // namespace inetdiag::diagnosis
