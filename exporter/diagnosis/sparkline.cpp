#include "exporter/diagnosis/sparkline.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include <fmt/format.h>

#include "exporter/diagnosis/html.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {
namespace {

constexpr std::size_t svg_slot_width = 4;
constexpr std::size_t svg_bar_width = 3;
// The line at 100 % is above the bars.
constexpr double svg_top = 2;
constexpr double svg_bar_height = 18;
constexpr double svg_bottom = svg_top + svg_bar_height;
/// Distinguishes an empty queue from a slot without a sample.
constexpr double svg_min_height = 1;
/// Distinguishes a single connection in a long queue from an empty queue.
constexpr double svg_min_height_of_waiting = 2;

double height_of(double ratio) {
  return ratio > 0 ? std::max(svg_min_height_of_waiting, std::min(ratio, 1.0) * svg_bar_height)
                   : svg_min_height;
}

/// Does not round down to 0 what is drawn as a bar.
std::string percent_of(double ratio) {
  constexpr double one_percent = 0.01;
  return ratio > 0 && ratio < one_percent ? "<1 %" : format_percent(ratio);
}

}  // namespace

std::string highest_recent_fill(const Listener& listener) {
  if (!listener.recent_fill) {
    return {};
  }
  double highest = listener.fill;
  for (const std::optional<double>& ratio : listener.recent_fill->ratios) {
    highest = std::max(highest, ratio.value_or(0));
  }
  return percent_of(highest);
}

std::string sparkline(const Listener& listener, const std::string& name) {
  if (!listener.recent_fill) {
    return {};
  }
  std::string bars;
  std::string full_bars;
  const auto& ratios = listener.recent_fill->ratios;
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    if (const std::optional<double> ratio = ratios[i]) {
      (*ratio >= full_ratio ? full_bars : bars) +=
          fmt::format("M{0} {1}h{2}v-{3:.1f}h-{2}z", i * svg_slot_width, svg_bottom, svg_bar_width,
                      height_of(*ratio));
    }
  }
  const std::size_t width = ratios.size() * svg_slot_width;
  return fmt::format(
      "<svg class=\"sparkline\" role=\"img\" viewBox=\"0 0 {0} {1}\" preserveAspectRatio=\"none\" "
      "aria-label=\"Accept queue of {2} in the last 5 minutes: now {3}, highest {4}\">"
      "<path class=\"limit\" d=\"M0 1h{0}\"/><path d=\"{5}\"/><path class=\"full\" "
      "d=\"{6}\"/></svg>",
      width, svg_bottom, escape_html(name), escape_html(percent_of(listener.fill)),
      escape_html(highest_recent_fill(listener)), bars, full_bars);
}

}  // namespace inetdiag::diagnosis
