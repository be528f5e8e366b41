#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {

/// Remembers the last looks, so that one look at a time tells what grows. For several threads.
class SnapshotHistory {
 public:
  /// Diagnoses what a scrape found, held against the newest look before it that is old enough to
  /// tell growth and young enough to tell of now.
  Status look(TimedSnapshot taken);

 private:
  std::mutex mutex_;
  std::shared_ptr<const TimedSnapshot> older_;
  std::shared_ptr<const TimedSnapshot> newer_;
};

}  // namespace inetdiag::diagnosis
