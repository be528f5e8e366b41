#include "exporter/http/handler_metrics.h"

#include <map>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

double in_flight(const HandlerMetrics& metrics) {
  return metrics.families().at(0).metric.at(0).gauge.value;
}

/// Requests by code.
std::map<std::string, double> requests(const HandlerMetrics& metrics) {
  std::map<std::string, double> by_code;
  const auto families = metrics.families();
  for (const auto& metric : families.at(1).metric) {
    by_code[metric.label.at(0).value] = metric.counter.value;
  }
  return by_code;
}

TEST(HandlerMetrics, HasTheSeriesOfPromhttpFromTheStart) {
  const HandlerMetrics metrics;
  const auto families = metrics.families();
  ASSERT_EQ(families.size(), 2U);
  EXPECT_EQ(families[0].name, "promhttp_metric_handler_requests_in_flight");
  EXPECT_EQ(families[1].name, "promhttp_metric_handler_requests_total");
  EXPECT_EQ(in_flight(metrics), 0);
  EXPECT_THAT(requests(metrics), ElementsAre(Pair("200", 0), Pair("500", 0), Pair("503", 0)));
}

TEST(HandlerMetrics, CountsARequestWhenItEnds) {
  HandlerMetrics metrics;
  std::optional<HandlerMetrics::Request> request(std::in_place, metrics);
  EXPECT_EQ(in_flight(metrics), 1);
  request->set_status(200);
  EXPECT_EQ(requests(metrics)["200"], 0);
  request.reset();
  EXPECT_EQ(in_flight(metrics), 0);
  EXPECT_EQ(requests(metrics)["200"], 1);
}

TEST(HandlerMetrics, CountsAHandlerThatThrowsAs500) {
  HandlerMetrics metrics;
  { const HandlerMetrics::Request request(metrics); }
  EXPECT_THAT(requests(metrics), ElementsAre(Pair("200", 0), Pair("500", 1), Pair("503", 0)));
}

TEST(HandlerMetrics, ShowsOtherCodesOnceTheyOccur) {
  HandlerMetrics metrics;
  HandlerMetrics::Request(metrics).set_status(400);
  EXPECT_EQ(requests(metrics)["400"], 1);
}

}  // namespace
}  // namespace inetdiag
