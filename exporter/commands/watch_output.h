// Where `check --watch` shows its results.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "exporter/diagnosis/fill_history.h"
#include "exporter/diagnosis/queue_fill.h"
#include "exporter/diagnosis/status.h"

namespace inetdiag {

class WatchOutput {
 public:
  WatchOutput() = default;
  WatchOutput(const WatchOutput&) = delete;
  WatchOutput& operator=(const WatchOutput&) = delete;
  virtual ~WatchOutput() = default;

  /// Shows the first snapshot, whose status is not a result yet: findings need two snapshots.
  virtual void show_first(const diagnosis::Status& /*status*/,
                          const diagnosis::Snapshot& /*snapshot*/) {}
  /// Throws BrokenPipe, std::system_error.
  virtual void show(diagnosis::Status status, const diagnosis::Snapshot& snapshot) = 0;
  /// After a change of size.
  virtual void redraw() {}
  /// Restores the terminal before the process stops.
  virtual void suspend() {}
  virtual void resume() {}
  /// Returns whether standard input provides keys.
  virtual bool has_keys() const { return false; }
};

struct WatchStreams {
  int input;
  int output;
};

/// A terminal screen, redrawn for each snapshot.
std::unique_ptr<WatchOutput> make_screen_output(WatchStreams streams, double interval_seconds,
                                                bool use_color, bool is_utf8);

/// A line for each change (status_changes.h).
std::unique_ptr<WatchOutput> make_changes_output(int output);

/// A JSON document per line.
std::unique_ptr<WatchOutput> make_json_output(int output);

}  // namespace inetdiag
