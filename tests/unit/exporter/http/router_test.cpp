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

class OneGauge : public Collector {
 public:
  explicit OneGauge(std::function<void()> before) : before_(std::move(before)) {}
  Collection collect(const ScrapeContext& /*context*/) override {
    before_();
    Collection collection;
    collection.families.push_back(single_gauge("metric_one", "help", 1));
    return collection;
  }

 private:
  std::function<void()> before_;
};

struct Site {
  testing::CapturedLog captured;
  std::unique_ptr<Scraper> scraper;
  std::unique_ptr<Router> web;

  explicit Site(
      RouterOptions options = {}, std::function<void()> before = [] {}) {
    std::vector<NamedCollector> collectors;
    collectors.push_back({"one", std::make_unique<OneGauge>(std::move(before))});
    scraper = std::make_unique<Scraper>(
        KernelSource{kernel::FileTree("/proc"), kernel::FileTree("/sys"), kernel::open_sock_diag},
        std::move(collectors), [] { return std::vector<prometheus::MetricFamily>(); },
        captured.log);
    web = std::make_unique<Router>(std::move(options), *scraper,
                                   std::vector<std::string>{"one", "two"});
  }

  HttpResponse get(const std::string& path, const std::string& query = "",
                   const std::map<std::string, std::string>& headers = {},
                   const std::string& method = "GET") const {
    return web->answer({method, path, query, [&](const char* name) {
                          const auto found = headers.find(name);
                          return found == headers.end() ? std::string() : found->second;
                        }});
  }
};

TEST(Router, ServesTheMetrics) {
  const Site site;
  const auto response = site.get("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("metric_one 1\n"));
}

TEST(Router, ServesThemOnAnotherPathWhereAsked) {
  const Site site({.telemetry_path = "/m"});
  EXPECT_EQ(site.get("/m").status, 200);
  EXPECT_EQ(site.get("/metrics").status, 404);
  EXPECT_THAT(site.get("/").body, HasSubstr("href=\"/m\""));
}

TEST(Router, CompressesWhereTheClientTakesIt) {
  const Site site;
  const auto response = site.get("/metrics", "", {{"Accept-Encoding", "gzip"}});
  EXPECT_THAT(response.headers, Contains(Pair("Content-Encoding", "gzip")));
  EXPECT_EQ(response.body.substr(0, 2), "\x1f\x8b");
  const auto plain = site.get("/metrics", "", {{"Accept-Encoding", "gzip;q=0"}});
  EXPECT_THAT(plain.headers, Not(Contains(Pair("Content-Encoding", "gzip"))));
}

TEST(Router, RefusesWhatCannotBeHad) {
  const Site site;
  EXPECT_EQ(site.get("/metrics", "collect[]=none").status, 400);
  EXPECT_THAT(site.get("/metrics", "collect[]=two").body, HasSubstr("disabled collector: 'two'"));
  const auto timeout = site.get("/metrics", "", {{"X-Prometheus-Scrape-Timeout-Seconds", "soon"}});
  EXPECT_EQ(timeout.status, 400);
  EXPECT_THAT(timeout.body, HasSubstr("'soon' is not a positive number"));
}

TEST(Router, KnowsItsPathsAndMethods) {
  const Site site;
  EXPECT_EQ(site.get("/nothing").status, 404);
  EXPECT_EQ(site.get("/-/healthy").status, 200);
  EXPECT_EQ(site.get("/-/ready").status, 200);
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const auto response = site.get("/metrics", "", {}, method);
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

TEST(Router, ShowsTheStatusOnItsFrontPage) {
  const auto response = Site().get("/");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("href=\"/metrics\""));
  EXPECT_THAT(response.body, HasSubstr("href=\"/metrics?collect[]=one\""));
  EXPECT_THAT(response.body, HasSubstr("content=\"5\""));
  EXPECT_THAT(Site().get("/", "a=b&refresh=0").body, Not(HasSubstr("http-equiv")));
  EXPECT_THAT(Site().get("/", "refresh=no").body, HasSubstr("content=\"5\""));
}

TEST(Router, AllowsNothingButItsOwnStyle) {
  const Site site;
  const auto response = site.get("/");
  const std::string policy = header(response, "Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("default-src 'none'; style-src 'nonce-"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  const std::string nonce = policy.substr(policy.find("nonce-") + 6, 32);
  EXPECT_THAT(response.body, HasSubstr("<style nonce=\"" + nonce + "\">"));
  EXPECT_NE(policy, header(site.get("/"), "Content-Security-Policy"));
}

TEST(Router, ServesTheStatusAsJson) {
  const auto response = Site().get("/api/v1/status");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("\"schema_version\": 1"));
}

TEST(Router, SaysWhyACollectorFailed) {
  const Site site({}, [] { throw std::runtime_error("no <b>\"one\"</b>"); });
  EXPECT_THAT(site.get("/").body,
              AllOf(HasSubstr("<strong>failed</strong>: no &lt;b&gt;&quot;one&quot;&lt;/b&gt;<"),
                    Not(HasSubstr("<b>")), Not(HasSubstr("log"))));
  const auto document = nlohmann::json::parse(site.get("/api/v1/status").body);
  EXPECT_EQ(document["collectors"][0]["error"], "no <b>\"one\"</b>");
  const auto fine = nlohmann::json::parse(Site().get("/api/v1/status").body);
  EXPECT_TRUE(fine["collectors"][0]["error"].is_null());
}

TEST(Router, TurnsAwayScrapesBeyondTheMaximum) {
  std::latch entered(1);
  std::latch gate(1);
  const Site site({.max_requests = 1}, [&] {
    entered.count_down();
    gate.wait();
  });
  std::jthread first([&] { EXPECT_EQ(site.get("/metrics").status, 200); });
  entered.wait();
  const auto second = site.get("/metrics");
  EXPECT_EQ(second.status, 503);
  EXPECT_THAT(second.body, HasSubstr("--web.max-requests"));
  EXPECT_EQ(site.get("/").status, 503);
  EXPECT_EQ(site.get("/-/healthy").status, 200);
  gate.count_down();
}

}  // namespace
}  // namespace inetdiag
