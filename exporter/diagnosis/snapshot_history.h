#pragma once

#include <memory>
#include <mutex>

#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {

/// Keeps previous snapshots: a single request can then show growth. Thread-safe.
class SnapshotHistory {
 public:
  /// Diagnoses `current` and its growth since the latest previous snapshot of a usable age
  /// (min_snapshot_interval to max_snapshot_age), if there is one.
  Status diagnose(TimedSnapshot current);

 private:
  std::mutex mutex_;
  std::shared_ptr<const TimedSnapshot> previous_;
  std::shared_ptr<const TimedSnapshot> latest_;
};

}  // namespace inetdiag::diagnosis
