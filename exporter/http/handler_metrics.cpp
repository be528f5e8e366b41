#include "exporter/http/handler_metrics.h"

#include <string>
#include <utility>

#include "collectors/support/family.h"

namespace inetdiag {

HandlerMetrics::Request::Request(HandlerMetrics& metrics) : metrics_(metrics) {
  const std::lock_guard lock(metrics_.mutex_);
  ++metrics_.in_flight_;
}

HandlerMetrics::Request::~Request() {
  const std::lock_guard lock(metrics_.mutex_);
  --metrics_.in_flight_;
  if (const auto found = metrics_.requests_.find(status_); found != metrics_.requests_.end()) {
    ++found->second;
  }
}

std::vector<prometheus::MetricFamily> HandlerMetrics::families() const {
  const std::lock_guard lock(mutex_);
  std::vector<prometheus::MetricFamily> families;
  families.push_back(single_gauge("promhttp_metric_handler_requests_in_flight",
                                  "Current number of scrapes being served.", in_flight_));
  auto requests = counter_family("promhttp_metric_handler_requests_total",
                                 "Total number of scrapes by HTTP status code.");
  for (const auto& [status, count] : requests_) {
    // promhttp initializes these three; others appear with the first such response.
    if (count != 0 || status == 200 || status == 500 || status == 503) {
      add_series(requests, {{"code", std::to_string(status)}}, static_cast<double>(count));
    }
  }
  families.push_back(std::move(requests));
  return families;
}

}  // namespace inetdiag
