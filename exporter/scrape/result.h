#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "collectors/support/recent_fill.h"
#include "exporter/exposition/exposition.h"

namespace inetdiag {

/// The outcome of one collector in one scrape.
struct CollectorOutcome {
  std::string name{};
  bool success = false;
  std::optional<double> seconds{};  ///< absent if the collector was not started
  std::string error{};              ///< why it failed; empty if it succeeded
};

/// The result of one scrape. Every output of the program is made from it.
struct ScrapeResult {
  ScrapeResult(std::vector<prometheus::MetricFamily> families,
               std::vector<CollectorOutcome> collector_outcomes,
               std::vector<RecentFill> fills_of_listeners = {})
      : exposition(std::move(families)),
        outcomes(std::move(collector_outcomes)),
        recent_fills(std::move(fills_of_listeners)) {}

  const Exposition exposition;  ///< all families, including the outcomes as metrics
  const std::vector<CollectorOutcome> outcomes;  ///< in the order of the collectors
  const std::vector<RecentFill> recent_fills;    ///< for the diagnosis
};

}  // namespace inetdiag
