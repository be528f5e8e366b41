#include "exporter/scrape/self_metrics.h"

#include <optional>

#include "collectors/support/family.h"
#include "exporter/build_info.h"
#include "exporter/scrape/process_metrics.h"

namespace inetdiag {
namespace {

prometheus::MetricFamily build_info_family() {
  auto info = gauge_family(
      "inetdiag_exporter_build_info",
      "A metric with a constant value of 1, labeled by version, revision and compiler.");
  add_series(info,
             {{"version", build_info::version},
              {"revision", build_info::revision},
              {"compiler", build_info::compiler}},
             1);
  return info;
}

}  // namespace

std::function<std::vector<prometheus::MetricFamily>()> self_metrics(bool has_process_metrics) {
  return [process =
              has_process_metrics ? std::optional<ProcessMetrics>(std::in_place) : std::nullopt] {
    auto families = process ? process->collect() : std::vector<prometheus::MetricFamily>();
    families.push_back(build_info_family());
    return families;
  };
}

}  // namespace inetdiag
