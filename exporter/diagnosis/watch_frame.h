// One screen of `check --watch`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/diagnosis/fill_history.h"
#include "exporter/diagnosis/queue_fill.h"
#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {

struct WatchView {
  std::size_t columns = 80;
  std::size_t rows = 24;
  bool use_color = false;
  bool is_utf8 = true;
  double interval_seconds = 2;
};

/// Returns at most `view.rows` lines of at most `view.columns` columns: host and verdict, findings,
/// and the fullest queues. Replaces control characters in names.
std::vector<std::string> watch_frame(const Status& status, const std::vector<QueueFill>& queues,
                                     const FillHistory& history, const WatchView& view);

/// Returns one character per group of ratios, the highest of the group, aligned to the right:
/// `▁▁▃▇█`, or `__.*#` without UTF-8. Only a full queue has the highest character, and only an
/// empty one the lowest.
std::string sparkline(const std::vector<double>& ratios, std::size_t width, bool is_utf8);

}  // namespace inetdiag::diagnosis
