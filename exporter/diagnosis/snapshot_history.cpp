#include "exporter/diagnosis/snapshot_history.h"

#include <utility>

#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {

Status SnapshotHistory::diagnose(TimedSnapshot current) {
  const auto now = std::make_shared<const TimedSnapshot>(std::move(current));
  std::shared_ptr<const TimedSnapshot> before;
  {
    const std::scoped_lock lock(mutex_);
    if (!latest_ || now->time - latest_->time >= min_snapshot_interval) {
      previous_ = latest_;
      latest_ = now;
    }
    // If another client has just taken `latest_`, compare with the snapshot before it.
    before = previous_;
    if (before && now->time - before->time > max_snapshot_age) {
      before.reset();
    }
  }
  return diagnosis::diagnose(*now, before.get());
}

}  // namespace inetdiag::diagnosis
