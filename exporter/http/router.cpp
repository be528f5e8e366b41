#include "exporter/http/router.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "collectors/kernel/base/random.h"
#include "collectors/kernel/base/text.h"
#include "exporter/diagnosis/status_json.h"
#include "exporter/diagnosis/status_page.h"
#include "exporter/diagnosis/take_snapshot.h"
#include "exporter/http/accept.h"
#include "exporter/http/collector_query.h"
#include "exporter/http/health_paths.h"
#include "exporter/http/scrape_timeout.h"

namespace inetdiag {
namespace {

HttpResponse text(int status, std::string body) {
  return {.status = status, .body = std::move(body.append("\n"))};
}

/// Counts a request while it is in flight.
class InFlight {
 public:
  explicit InFlight(std::atomic<unsigned>& counter) : counter_(counter), count_(++counter) {}
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  ~InFlight() { --counter_; }
  /// Returns the number of requests in flight when this one started, including it.
  unsigned count() const { return count_; }

 private:
  std::atomic<unsigned>& counter_;
  unsigned count_;
};

/// Returns the refresh interval of the status page, `refresh=SECONDS` of the query; 0 for none.
unsigned refresh_seconds(std::string_view query) {
  constexpr unsigned default_seconds = 5;
  constexpr unsigned max_seconds = 86400;  // a timer of a browser overflows after 24 days
  constexpr std::string_view name = "refresh=";
  while (!query.empty()) {
    const std::string_view field = kernel::cut(query, '&');
    if (field.starts_with(name)) {
      return std::min(
          max_seconds,
          kernel::to_number<unsigned>(field.substr(name.size())).value_or(default_seconds));
    }
  }
  return default_seconds;
}

/// Returns an unpredictable value for the Content-Security-Policy of one response.
std::string new_nonce() {
  return fmt::format("{:016x}{:016x}", kernel::random_number(), kernel::random_number());
}

}  // namespace

Router::Router(RouterOptions options, Scraper& scraper, std::vector<std::string> all_collectors,
               HandlerMetrics& handler_metrics)
    : options_(std::move(options)),
      scraper_(scraper),
      all_collectors_(std::move(all_collectors)),
      enabled_(scraper.names()),
      handler_metrics_(handler_metrics) {}

HttpResponse Router::handle(const HttpRequest& request) {
  if (request.path != options_.telemetry_path) {
    return respond(request);
  }
  HandlerMetrics::Request counted(handler_metrics_);
  HttpResponse response = respond(request);
  counted.set_status(response.status);
  return response;
}

HttpResponse Router::respond(const HttpRequest& request) {
  const std::map<std::string, PageHandler> pages = {{options_.telemetry_path, &Router::metrics},
                                                    {"/", &Router::status_page},
                                                    {"/api/v1/status", &Router::status_json}};
  const bool is_health = is_health_path(request.path);
  const auto page = pages.find(request.path);
  if (!is_health && page == pages.end()) {
    return text(404, "404 not found; the metrics are at " + options_.telemetry_path);
  }
  if (request.method != "GET") {
    HttpResponse response = text(405, "405 method not allowed; use GET or HEAD");
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  return is_health ? text(200, "OK") : scrape_page(request, page->second);
}

/// Responds with a page that needs a scrape, unless too many are in flight.
HttpResponse Router::scrape_page(const HttpRequest& request, PageHandler page) {
  const InFlight in_flight(in_flight_);
  if (options_.max_requests != 0 && in_flight.count() > options_.max_requests) {
    HttpResponse response =
        text(503, "limit of concurrent requests reached (" + std::to_string(options_.max_requests) +
                      ", --web.max-requests), try again later");
    // A status page in a browser must keep refreshing.
    if (request.path == "/") {
      response.headers.emplace_back("Refresh", "5");
    }
    return response;
  }
  try {
    return (this->*page)(request);
  } catch (const BadRequest& error) {
    return text(400, error.what());
  } catch (const ScrapeStopped& error) {
    return text(503, error.what());
  }
}

HttpResponse Router::metrics(const HttpRequest& request) {
  const auto end =
      Scraper::Clock::now() + scrape_timeout(request.header("X-Prometheus-Scrape-Timeout-Seconds"));
  const Scraper::ResultPtr result =
      scraper_.scrape(parse_selection(request.query, enabled_, all_collectors_), end);
  const PageFormat format =
      prefers_openmetrics(request.header("Accept")) ? PageFormat::openmetrics : PageFormat::text;
  HttpResponse response{
      .content_type = Exposition::content_type(format),
      .headers = {{"Vary", "Accept, Accept-Encoding"}, {"Cache-Control", "no-store"}}};
  if (accepts_gzip(request.header("Accept-Encoding"))) {
    response.body = result->exposition.gzipped(format);
    response.headers.emplace_back("Content-Encoding", "gzip");
  } else {
    response.body = result->exposition.page(format);
  }
  return response;
}

diagnosis::Status Router::diagnose() {
  return history_.diagnose(take_snapshot(scraper_, Scraper::Clock::now() + scrape_timeout("")));
}

HttpResponse Router::status_page(const HttpRequest& request) {
  const std::string nonce = new_nonce();
  return {.content_type = "text/html; charset=utf-8",
          .body = inetdiag::status_page(diagnose(),
                                        {.metrics = options_.telemetry_path,
                                         .refresh_seconds = refresh_seconds(request.query)},
                                        nonce),
          .headers = {{"Cache-Control", "no-store"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Content-Security-Policy",
                       fmt::format("default-src 'none'; style-src 'nonce-{0}'; "
                                   "script-src 'nonce-{0}'; connect-src 'self'; base-uri 'none'; "
                                   "form-action 'none'; frame-ancestors 'none'",
                                   nonce)}}};
}

HttpResponse Router::status_json(const HttpRequest& /*request*/) {
  return {.content_type = "application/json; charset=utf-8",
          .body = diagnosis::status_json(diagnose()),
          .headers = {{"Cache-Control", "no-store"}}};
}

}  // namespace inetdiag
