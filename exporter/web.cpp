#include "exporter/web.h"

#include <utility>

#include "exporter/build_info.h"
#include "exporter/gzip.h"
#include "exporter/query.h"
#include "exporter/scrape_timeout.h"

namespace inetdiag {
namespace {

HttpResponse text(int status, std::string body) {
  return {.status = status, .body = std::move(body.append("\n"))};
}

/// Counts a request while it is answered.
class InFlight {
 public:
  explicit InFlight(std::atomic<unsigned>& count) : count_(count), number_(++count) {}
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  ~InFlight() { --count_; }
  unsigned number() const { return number_; }

 private:
  std::atomic<unsigned>& count_;
  unsigned number_;
};

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html.append("&amp;");
        break;
      case '<':
        html.append("&lt;");
        break;
      case '"':
        html.append("&quot;");
        break;
      default:
        html.push_back(c);
    }
  }
  return html;
}

}  // namespace

Web::Web(WebOptions options, Scraper& scraper, std::vector<std::string> all_collectors)
    : options_(std::move(options)),
      scraper_(scraper),
      all_collectors_(std::move(all_collectors)),
      enabled_(scraper.names()) {}

HttpResponse Web::answer(const HttpRequest& request) {
  const bool is_metrics = request.path == options_.telemetry_path;
  const bool is_health = request.path == "/-/healthy" || request.path == "/-/ready";
  if (!is_metrics && !is_health && request.path != "/") {
    return text(404, "404 not found; the metrics are at " + options_.telemetry_path);
  }
  if (request.method != "GET") {
    HttpResponse refusal = text(405, "405 method not allowed; use GET or HEAD");
    refusal.headers.emplace_back("Allow", "GET, HEAD");
    return refusal;
  }
  if (is_metrics) {
    return metrics(request);
  }
  return is_health ? text(200, "OK") : front_page();
}

HttpResponse Web::metrics(const HttpRequest& request) {
  const InFlight in_flight(in_flight_);
  if (options_.max_requests != 0 && in_flight.number() > options_.max_requests) {
    return text(503, "limit of concurrent requests reached (" +
                         std::to_string(options_.max_requests) +
                         ", --web.max-requests), try again later");
  }
  try {
    return scrape(request);
  } catch (const BadRequest& error) {
    return text(400, error.what());
  } catch (const ScrapeStopped& error) {
    return text(503, error.what());
  }
}

HttpResponse Web::scrape(const HttpRequest& request) {
  const auto end =
      Scraper::Clock::now() + scrape_time(request.header("X-Prometheus-Scrape-Timeout-Seconds"));
  const Scraper::PagePtr page =
      scraper_.scrape(parse_selection(request.query, enabled_, all_collectors_), end);
  HttpResponse response{.content_type = Page::content_type,
                        .headers = {{"Vary", "Accept-Encoding"}, {"Cache-Control", "no-store"}}};
  if (accepts_gzip(request.header("Accept-Encoding"))) {
    response.body = page->gzipped();
    response.headers.emplace_back("Content-Encoding", "gzip");
  } else {
    response.body = page->text();
  }
  return response;
}

HttpResponse Web::front_page() const {
  const std::string path = escaped(options_.telemetry_path);
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\">"
      "<meta name=\"color-scheme\" content=\"light dark\">"
      "<title>inetdiag_exporter</title></head>\n"
      "<body style=\"font-family: sans-serif; max-width: 40em; margin: 2em auto; padding: 0 "
      "1em\">\n"
      "<h1>inetdiag_exporter</h1>\n"
      "<p>How close each network queue of this host is to the limit at which the kernel drops, "
      "which limit it is, and who owns it.</p>\n";
  html.append("<p><a href=\"" + path + "\">Metrics</a></p>\n<h2>Collectors</h2>\n<ul>\n");
  for (const std::string& name : enabled_) {
    html.append("<li><a href=\"").append(path).append("?collect[]=").append(name);
    html.append("\">").append(name).append("</a></li>\n");
  }
  html.append("</ul>\n<p>Version ").append(build_info::version).append("</p>\n</body>\n</html>\n");
  return {.content_type = "text/html; charset=utf-8",
          .body = std::move(html),
          .headers = {{"Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}}};
}

}  // namespace inetdiag
