#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

/// The metrics of the handler of the telemetry path, with the names and semantics of Go's promhttp.
/// Thread-safe.
class HandlerMetrics {
 public:
  /// Counts a request from its construction to its destruction.
  class Request {
   public:
    explicit Request(HandlerMetrics& metrics);
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    ~Request();

    /// The default is 500, for a handler that throws.
    void set_status(int status) { status_ = status; }

   private:
    HandlerMetrics& metrics_;
    int status_ = 500;
  };

  std::vector<prometheus::MetricFamily> families() const;

 private:
  mutable std::mutex mutex_;
  /// By status. Has every status that the handler returns, because a destructor must not allocate.
  std::map<int, std::uint64_t> requests_ = {{200, 0}, {400, 0}, {405, 0}, {500, 0}, {503, 0}};
  unsigned in_flight_ = 0;
};

}  // namespace inetdiag
