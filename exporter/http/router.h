#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "exporter/diagnosis/snapshot_history.h"
#include "exporter/http/handler_metrics.h"
#include "exporter/http/http_server.h"
#include "exporter/scrape/scraper.h"

namespace inetdiag {

struct RouterOptions {
  std::string telemetry_path = "/metrics";
  unsigned max_requests = 12;  ///< concurrent scrapes; 0 for no limit
};

/// Maps each path to its page.
class Router {
 public:
  /// `all_collectors` includes the disabled collectors. Requests for the telemetry path are counted
  /// in `handler_metrics`.
  Router(RouterOptions options, Scraper& scraper, std::vector<std::string> all_collectors,
         HandlerMetrics& handler_metrics);

  HttpResponse handle(const HttpRequest& request);

 private:
  using PageHandler = HttpResponse (Router::*)(const HttpRequest&);

  HttpResponse respond(const HttpRequest& request);
  HttpResponse scrape_page(const HttpRequest& request, PageHandler page);
  HttpResponse metrics(const HttpRequest& request);
  HttpResponse status_page(const HttpRequest& request);
  HttpResponse status_json(const HttpRequest& request);
  diagnosis::Status diagnose();

  RouterOptions options_;
  Scraper& scraper_;
  std::vector<std::string> all_collectors_;
  std::vector<std::string> enabled_;
  HandlerMetrics& handler_metrics_;
  std::atomic<unsigned> in_flight_ = 0;
  diagnosis::SnapshotHistory history_;
};

}  // namespace inetdiag
