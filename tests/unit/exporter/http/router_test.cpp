#include "exporter/http/router.h"

#include <latch>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "collectors/support/family.h"
#include "tests/unit/support/captured_log.h"

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

class GatedGauge : public Collector {
 public:
  explicit GatedGauge(std::function<void()> before) : before_(std::move(before)) {}
  Collection collect(const ScrapeContext& /*context*/) override {
    before_();
    Collection collection;
    collection.families.push_back(single_gauge("metric_one", "help", 1));
    return collection;
  }

 private:
  std::function<void()> before_;
};

struct RouterFixture {
  testing::CapturedLog captured;
  std::unique_ptr<Scraper> scraper;
  HandlerMetrics handler_metrics;
  std::unique_ptr<Router> router;

  explicit RouterFixture(
      RouterOptions options = {}, std::function<void()> before = [] {}) {
    std::vector<NamedCollector> collectors;
    collectors.push_back({"one", std::make_unique<GatedGauge>(std::move(before))});
    scraper = std::make_unique<Scraper>(
        KernelSource{kernel::FileTree("/proc"), kernel::FileTree("/sys"), kernel::open_netlink},
        std::move(collectors), [] { return std::vector<prometheus::MetricFamily>(); },
        captured.log);
    router = std::make_unique<Router>(std::move(options), *scraper,
                                      std::vector<std::string>{"one", "two"}, handler_metrics);
  }

  HttpResponse get(const std::string& path, const std::string& query = "",
                   const std::map<std::string, std::string>& headers = {},
                   const std::string& method = "GET") const {
    return router->handle({method, path, query, [&](const char* name) {
                             const auto found = headers.find(name);
                             return found == headers.end() ? std::string() : found->second;
                           }});
  }
};

TEST(Router, ServesTheMetrics) {
  const RouterFixture fixture;
  const auto response = fixture.get("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("metric_one 1\n"));
}

TEST(Router, ServesTheMetricsOnTheTelemetryPath) {
  const RouterFixture fixture({.telemetry_path = "/m"});
  EXPECT_EQ(fixture.get("/m").status, 200);
  EXPECT_EQ(fixture.get("/metrics").status, 404);
  EXPECT_THAT(fixture.get("/").body, HasSubstr("href=\"/m\""));
}

TEST(Router, CompressesIfTheClientAcceptsIt) {
  const RouterFixture fixture;
  const auto response = fixture.get("/metrics", "", {{"Accept-Encoding", "gzip"}});
  EXPECT_THAT(response.headers, Contains(Pair("Content-Encoding", "gzip")));
  EXPECT_EQ(response.body.substr(0, 2), "\x1f\x8b");
  const auto plain = fixture.get("/metrics", "", {{"Accept-Encoding", "gzip;q=0"}});
  EXPECT_THAT(plain.headers, Not(Contains(Pair("Content-Encoding", "gzip"))));
}

TEST(Router, RejectsInvalidQueriesAndTimeouts) {
  const RouterFixture fixture;
  EXPECT_EQ(fixture.get("/metrics", "collect[]=none").status, 400);
  EXPECT_THAT(fixture.get("/metrics", "collect[]=two").body,
              HasSubstr("disabled collector: 'two'"));
  const auto timeout =
      fixture.get("/metrics", "", {{"X-Prometheus-Scrape-Timeout-Seconds", "soon"}});
  EXPECT_EQ(timeout.status, 400);
  EXPECT_THAT(timeout.body, HasSubstr("'soon' is not a positive number"));
}

TEST(Router, RejectsUnknownPathsAndMethods) {
  const RouterFixture fixture;
  EXPECT_EQ(fixture.get("/nothing").status, 404);
  EXPECT_EQ(fixture.get("/-/healthy").status, 200);
  EXPECT_EQ(fixture.get("/-/ready").status, 200);
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const auto response = fixture.get("/metrics", "", {}, method);
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_THAT(response.headers, Contains(Pair("Allow", "GET, HEAD")));
  }
}

std::string header(const HttpResponse& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

TEST(Router, NegotiatesTheFormat) {
  const RouterFixture fixture;
  const auto text = fixture.get("/metrics", "", {{"Accept", "*/*"}});
  EXPECT_EQ(text.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(text.body, Not(HasSubstr("# EOF")));
  const std::map<std::string, std::string> accept = {{"Accept", "application/openmetrics-text"}};
  const auto openmetrics = fixture.get("/metrics", "", accept);
  EXPECT_EQ(openmetrics.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_TRUE(openmetrics.body.ends_with("# EOF\n"));
  for (const auto& response : {text, openmetrics}) {
    EXPECT_EQ(header(response, "Vary"), "Accept, Accept-Encoding");
  }
  const auto gzipped = fixture.get(
      "/metrics", "", {{"Accept", "application/openmetrics-text"}, {"Accept-Encoding", "gzip"}});
  EXPECT_EQ(gzipped.content_type, openmetrics.content_type);
  EXPECT_EQ(header(gzipped, "Content-Encoding"), "gzip");
  EXPECT_TRUE(gzipped.body.starts_with("\x1f\x8b"));
}

TEST(Router, ServesTheStatusPage) {
  const auto response = RouterFixture().get("/");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("href=\"/metrics\""));
  EXPECT_THAT(response.body, HasSubstr("href=\"/metrics?collect[]=one\""));
  EXPECT_THAT(response.body, HasSubstr("content=\"5\""));
  EXPECT_THAT(RouterFixture().get("/", "a=b&refresh=0").body, Not(HasSubstr("http-equiv")));
  EXPECT_THAT(RouterFixture().get("/", "refresh=no").body, HasSubstr("content=\"5\""));
  EXPECT_THAT(RouterFixture().get("/", "refresh=4294967295").body, HasSubstr("content=\"86400\""));
}

TEST(Router, AllowsOnlyItsOwnStyleAndScript) {
  const RouterFixture fixture;
  const auto response = fixture.get("/");
  const std::string policy = header(response, "Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("default-src 'none'; style-src 'nonce-"));
  EXPECT_THAT(policy, HasSubstr("connect-src 'self'; base-uri 'none'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  const std::string nonce = policy.substr(policy.find("nonce-") + 6, 32);
  EXPECT_THAT(policy, HasSubstr("script-src 'nonce-" + nonce + "'"));
  EXPECT_THAT(response.body, HasSubstr("<style nonce=\"" + nonce + "\">"));
  EXPECT_THAT(response.body, HasSubstr("<script nonce=\"" + nonce + "\" "));
  EXPECT_NE(policy, header(fixture.get("/"), "Content-Security-Policy"));
}

TEST(Router, ServesTheStatusAsJson) {
  const auto response = RouterFixture().get("/api/v1/status");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("\"schema_version\": 1"));
}

TEST(Router, ShowsWhyACollectorFailed) {
  const RouterFixture fixture({}, [] { throw std::runtime_error("no <b>\"one\"</b>"); });
  EXPECT_THAT(fixture.get("/").body,
              AllOf(HasSubstr("<strong>failed</strong>: no &lt;b&gt;&quot;one&quot;&lt;/b&gt;<"),
                    Not(HasSubstr("<b>")), Not(HasSubstr("log"))));
  const auto document = nlohmann::json::parse(fixture.get("/api/v1/status").body);
  EXPECT_EQ(document["collectors"][0]["error"], "no <b>\"one\"</b>");
  const auto success = nlohmann::json::parse(RouterFixture().get("/api/v1/status").body);
  EXPECT_TRUE(success["collectors"][0]["error"].is_null());
}

TEST(Router, LimitsConcurrentScrapes) {
  std::latch entered(1);
  std::latch gate(1);
  const RouterFixture fixture({.max_requests = 1}, [&] {
    entered.count_down();
    gate.wait();
  });
  std::jthread first([&] { EXPECT_EQ(fixture.get("/metrics").status, 200); });
  entered.wait();
  const auto second = fixture.get("/metrics");
  EXPECT_EQ(second.status, 503);
  EXPECT_THAT(second.body, HasSubstr("--web.max-requests"));
  EXPECT_EQ(fixture.get("/").status, 503);
  EXPECT_EQ(fixture.get("/-/healthy").status, 200);
  gate.count_down();
}

TEST(Router, CountsRequestsForTheTelemetryPath) {
  const RouterFixture fixture({.telemetry_path = "/m"});
  EXPECT_EQ(fixture.get("/m").status, 200);
  EXPECT_EQ(fixture.get("/").status, 200);
  EXPECT_EQ(fixture.get("/m", "collect[]=none").status, 400);
  const std::string text = Exposition(fixture.handler_metrics.families()).page(PageFormat::text);
  EXPECT_THAT(text, HasSubstr("promhttp_metric_handler_requests_total{code=\"200\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("promhttp_metric_handler_requests_total{code=\"400\"} 1\n"));
}

}  // namespace
}  // namespace inetdiag
