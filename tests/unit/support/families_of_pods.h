#pragma once

#include <string>
#include <vector>

#include <prometheus/metric_family.h>

#include "collectors/support/family.h"

namespace inetdiag::testing {

/// Returns 20,000 series, as of 400 pods with 50 series each.
inline std::vector<prometheus::MetricFamily> families_of_pods() {
  constexpr int pods = 400;
  constexpr int names = 50;
  std::vector<prometheus::MetricFamily> families;
  for (int i = 0; i < names; ++i) {
    auto& family = families.emplace_back(
        counter_family("inetdiag_nstat_tcp_ext_counter" + std::to_string(i) + "_total",
                       "TcpExtCounter: a counter of the network stack (/proc/net/netstat)."));
    for (int pod = 0; pod < pods; ++pod) {
      add_series(family,
                 {{"netns", "pod-" + std::to_string(pod * 7919)},
                  {"namespace", "production"},
                  {"pod", "web-" + std::to_string(pod)}},
                 i * pod * 17);
    }
  }
  return families;
}

}  // namespace inetdiag::testing
