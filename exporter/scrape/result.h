#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "exporter/exposition/exposition.h"

namespace inetdiag {

/// What one collector did in one scrape.
struct CollectorOutcome {
  std::string name{};
  bool success = false;
  std::optional<double> seconds{};  ///< absent if the collector was not started
  std::string error{};              ///< why it failed; empty if it succeeded
};

/// What one scrape found: every output of the program is made from this value.
struct ScrapeResult {
  ScrapeResult(std::vector<prometheus::MetricFamily> families,
               std::vector<CollectorOutcome> collector_outcomes)
      : exposition(std::move(families)), outcomes(std::move(collector_outcomes)) {}

  const Exposition exposition;                   ///< all families, also the outcomes as metrics
  const std::vector<CollectorOutcome> outcomes;  ///< in the order of the collectors
};

}  // namespace inetdiag
