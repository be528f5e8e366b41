#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "exporter/diagnosis/snapshot_history.h"
#include "exporter/http/http_server.h"
#include "exporter/scrape/scraper.h"

namespace inetdiag {

struct RouterOptions {
  std::string telemetry_path = "/metrics";
  unsigned max_requests = 40;  ///< scrapes at the same time; 0 for no limit
  std::string netns_folder = "/run/netns";
};

/// What the program answers to each path.
class Router {
 public:
  /// `all_collectors` names every collector of the program, the disabled ones too.
  Router(RouterOptions options, Scraper& scraper, std::vector<std::string> all_collectors);

  HttpResponse answer(const HttpRequest& request);

 private:
  HttpResponse scraped(const HttpRequest& request,
                       HttpResponse (Router::*page)(const HttpRequest&));
  HttpResponse metrics(const HttpRequest& request);
  HttpResponse status_page(const HttpRequest& request);
  HttpResponse status_json(const HttpRequest& request);
  diagnosis::Status look();

  RouterOptions options_;
  Scraper& scraper_;
  std::vector<std::string> all_collectors_;
  std::vector<std::string> enabled_;
  std::atomic<unsigned> in_flight_ = 0;
  diagnosis::SnapshotHistory looks_;
};

}  // namespace inetdiag
