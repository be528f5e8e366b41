#include "exporter/scrape/self_metrics.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "collectors/support/family.h"
#include "exporter/build_info.h"
#include "exporter/scrape/process_metrics.h"

namespace inetdiag {
namespace {

prometheus::MetricFamily build_info_family() {
  auto info = gauge_family("inetdiag_exporter_build_info",
                           "1, labelled with what this exporter was built from.");
  add_series(info,
             {{"version", build_info::version},
              {"revision", build_info::revision},
              {"compiler", build_info::compiler}},
             1);
  return info;
}

}  // namespace

std::function<std::vector<prometheus::MetricFamily>()> self_metrics(
    bool with_process, const statsd::PushCounters* pushes) {
  return [process = with_process ? std::optional<ProcessMetrics>(std::in_place) : std::nullopt,
          pushes] {
    auto families = process ? process->collect() : std::vector<prometheus::MetricFamily>();
    families.push_back(build_info_family());
    if (pushes != nullptr) {
      std::ranges::move(pushes->families(), std::back_inserter(families));
    }
    return families;
  };
}

}  // namespace inetdiag
