#include "exporter/diagnosis/backlog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag::diagnosis {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Backlog, DeterminesTheLimit) {
  Listener listener{.backlog = 128};
  EXPECT_EQ(limit_of(listener, 4096), BacklogLimit::unknown);
  listener.is_capped = false;
  EXPECT_EQ(limit_of(listener, 4096), BacklogLimit::program);
  EXPECT_EQ(limit_of(listener, std::nullopt), BacklogLimit::unknown);
  listener.is_capped = true;
  EXPECT_EQ(limit_of(listener, 128), BacklogLimit::somaxconn);
  EXPECT_EQ(limit_of(listener, 100), BacklogLimit::former_somaxconn);
}

TEST(Backlog, IsThatOfTheFullestOfSeveralSockets) {
  Listener listener{.sockets = 4, .backlog = 512, .fullest_backlog = 128, .is_capped = true};
  EXPECT_EQ(limit_of(listener, 128), BacklogLimit::somaxconn);
  EXPECT_EQ(limit_of(listener, 100), BacklogLimit::former_somaxconn);
  EXPECT_EQ(describe_limit(listener, 128),
            "net.core.somaxconn = 128 (the program requested at least that)");
  // Only another socket of the group is capped.
  listener.fullest_backlog = 16;
  EXPECT_EQ(limit_of(listener, 128), BacklogLimit::program);
  EXPECT_THAT(describe_limit(listener, 128), HasSubstr("backlog 16, set by the program"));
}

TEST(Backlog, AdvisesWhatToRaise) {
  Listener listener{.owner = {.unit = "nginx.service"}, .backlog = 511, .is_capped = false};
  EXPECT_THAT(backlog_advice(listener, 4096),
              AllOf(HasSubstr("`listen ... backlog=N`"),
                    HasSubstr("If it already requests more, restart it"),
                    HasSubstr("A higher somaxconn does not help")));
  listener.is_capped = true;
  EXPECT_THAT(
      backlog_advice(listener, 511),
      AllOf(HasSubstr("raise net.core.somaxconn, then restart the program"), HasSubstr("nginx")));
  EXPECT_THAT(backlog_advice(listener, 100), HasSubstr("before you restart the program"));
  EXPECT_THAT(describe_limit(listener, std::nullopt), HasSubstr("511"));
}

TEST(Backlog, HasNoLimitForAggregatedListeners) {
  const Listener aggregated{.endpoint = {"other", "other", ""}, .sockets = 300, .backlog = 40000};
  EXPECT_THAT(describe_limit(aggregated, 4096), HasSubstr("several listeners"));
  EXPECT_THAT(backlog_advice(aggregated, 4096), HasSubstr("--collector.listeners.max"));
}

TEST(Backlog, RecognizesServersByTheirUnits) {
  const auto setting = [](const char* unit) {
    return backlog_advice({.owner = {.unit = unit}, .backlog = 5, .is_capped = false}, 4096);
  };
  EXPECT_THAT(setting("php8.2-fpm.service"), HasSubstr("listen.backlog"));
  EXPECT_THAT(setting("postgresql@15-main.service"), HasSubstr("max_connections"));
  EXPECT_THAT(setting("redis-server.service"), HasSubstr("tcp-backlog"));
  EXPECT_THAT(setting("apache2.service"), HasSubstr("ListenBacklog"));
  EXPECT_THAT(setting("envoy.service"), HasSubstr("tcp_backlog_size"));
  EXPECT_THAT(setting("gunicorn.service"), HasSubstr("--backlog"));
  EXPECT_THAT(setting("lighttpd.service"), HasSubstr("server.listen-backlog"));
  EXPECT_THAT(setting("uhttpd.service"), HasSubstr("argument of listen()"));
  EXPECT_THAT(setting("prometheus-nginx-exporter.service"), HasSubstr("argument of listen()"));
  EXPECT_THAT(setting("other.service"), HasSubstr("argument of listen()"));
  EXPECT_THAT(setting(""), HasSubstr("argument of listen()"));
}

}  // namespace
}  // namespace inetdiag::diagnosis
