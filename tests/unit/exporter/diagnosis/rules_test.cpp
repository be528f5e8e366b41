#include "exporter/diagnosis/rules.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "exporter/diagnosis/backlog.h"
#include "exporter/diagnosis/metric_names.h"

namespace inetdiag::diagnosis {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

/// A host without findings.
Namespace healthy_namespace() {
  Namespace host;
  host.values = {{std::string(metric::somaxconn), 4096},
                 {std::string(metric::syncookies), 1},
                 {std::string(metric::max_syn_backlog), 1024},
                 {std::string(metric::max_tw_buckets), 1000},
                 {std::string(metric::max_orphans), 1000},
                 {std::string(metric::abort_on_overflow), 0},
                 {std::string(metric::tcp_mem_pressure), 100},
                 {std::string(metric::tcp_mem_high), 200},
                 {std::string(metric::timewaits), 10},
                 {std::string(metric::orphans), 10},
                 {std::string(metric::tcp_memory_bytes), 4096},
                 {std::string(metric::conntrack_entries), 10},
                 {std::string(metric::conntrack_limit), 1000},
                 {std::string(metric::conntrack_drops), 5},
                 {std::string(metric::conntrack_early_drops), 5},
                 {std::string(metric::cookies_sent), 7},
                 {std::string(metric::syns_dropped), 7},
                 {std::string(metric::time_wait_overflows), 7},
                 {std::string(metric::memory_aborts), 7},
                 {std::string(metric::memory_pressures), 7}};
  host.listeners = {{.endpoint = {"0.0.0.0", "443", ""},
                     .owner = {.unit = "haproxy.service"},
                     .waiting = 1,
                     .backlog = 128,
                     .fill = 1.0 / 129,
                     .half_open = 2,
                     .drops = 0,
                     .syn_fill = 2.0 / 129,
                     .is_capped = false}};
  host.udp = {{.endpoint = {"0.0.0.0", "53", ""},
               .queued_bytes = 100,
               .limit_bytes = 1000,
               .fill = 0.1,
               .drops = 0}};
  host.unix_listeners = {{.path = "/run/php.sock", .waiting = 1, .backlog = 10, .fill = 0.1}};
  host.ports = {{.port = "443", .close_wait = 3, .all = 1000}};
  host.tcp_states = {{"syn_sent", 2}};
  host.dropped_by_cpu = {{"0", 5}, {"1", 0}};
  return host;
}

Findings apply_rules(const Namespace& now, const Namespace* before) {
  const std::string own_netns;
  Findings findings;
  for (const Rule rule : rules) {
    rule({.netns = own_netns, .netns_directory = own_netns, .now = now, .before = before},
         findings);
  }
  return findings;
}

/// The current and the previous snapshot of a host, initially equal.
struct Host {
  Namespace now = healthy_namespace();
  Namespace before = healthy_namespace();

  void set(std::string_view metric, double value) { now.values[std::string(metric)] = value; }
  void set_in_both(std::string_view metric, double value) {
    set(metric, value);
    before.values[std::string(metric)] = value;
  }
  void grow(std::string_view metric, double by) { set(metric, *before.value(metric) + by); }
  Listener& listener() { return now.listeners.front(); }

  Findings findings(bool with_before = true) const {
    return apply_rules(now, with_before ? &before : nullptr);
  }

  /// Returns, for example, `critical accept_queue_full`.
  std::vector<std::string> names(bool with_before = true) const {
    std::vector<std::string> names;
    for (const Finding& finding : findings(with_before)) {
      names.push_back(std::string(name_of(finding.severity)) + " " + finding.rule);
    }
    return names;
  }
};

TEST(Rules, FindNothingOnAHealthyHost) {
  EXPECT_THAT(Host().names(), IsEmpty());
  EXPECT_THAT(Host().names(false), IsEmpty());
}

TEST(Rules, FindNothingWithoutData) {
  const Namespace no_data;
  EXPECT_TRUE(apply_rules(no_data, &no_data).empty());
}

TEST(Rules, WriteTheMetricAsAPromqlSelector) {
  EXPECT_EQ(selector("m", {}), "m");
  EXPECT_EQ(selector("m", {{"a", "1"}, {"path", "@b\"q\\x\n"}}), R"(m{a="1",path="@b\"q\\x\n"})");
}

TEST(Rules, SetEveryTextOfAFinding) {
  Host host;
  host.listener().fill = 1;
  host.listener().half_open = 129;
  host.now.udp[0].fill = 1;
  host.now.unix_listeners[0].fill = 1;
  host.now.ports[0].close_wait = 900;
  host.now.tcp_states["syn_sent"] = 1000;
  host.now.dropped_by_cpu["1"] = 3;
  host.set(metric::timewaits, 1000);
  host.set(metric::orphans, 1000);
  host.set(metric::tcp_memory_bytes, 1e9);
  host.set(metric::conntrack_entries, 1000);
  host.set(metric::abort_on_overflow, 1);
  const Findings findings = host.findings();
  EXPECT_EQ(findings.size(), rules.size() - 1);  // the SYN queue is part of the first finding
  for (const Finding& finding : findings) {
    EXPECT_FALSE(finding.affected.kind.empty()) << finding.rule;
    EXPECT_FALSE(finding.affected.name.empty()) << finding.rule;
    EXPECT_TRUE(finding.summary.ends_with('.')) << finding.rule;
    EXPECT_TRUE(finding.action.ends_with('.')) << finding.rule;
    EXPECT_THAT(finding.metric, HasSubstr("inetdiag_")) << finding.rule;
  }
}

TEST(AcceptQueues, AreFullAtOneMoreThanTheBacklog) {
  Host host;
  host.listener().fill = 1;
  EXPECT_THAT(host.names(), ElementsAre("critical accept_queue_full"));
  host.listener().fill = 128.0 / 129;
  EXPECT_THAT(host.names(), ElementsAre("warning accept_queue_nearly_full"));
}

TEST(AcceptQueues, AreNearlyFullFromEightyPercent) {
  Host host;
  host.listener().fill = 0.8;
  EXPECT_THAT(host.names(), ElementsAre("warning accept_queue_nearly_full"));
  host.listener().fill = 0.79;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(AcceptQueues, AreDroppingIfDropsGrow) {
  Host host;
  host.listener().drops = 1;
  EXPECT_THAT(host.names(), ElementsAre("critical listener_dropping"));
  EXPECT_THAT(host.findings()[0].evidence, Contains(Pair("new_drops", std::optional(1.0))));
}

TEST(AcceptQueues, PastDropsAreANotice) {
  Host host;
  host.listener().drops = 9;
  host.before.listeners[0].drops = 9;
  EXPECT_THAT(host.names(), ElementsAre("notice listener_dropped"));
  EXPECT_THAT(host.names(false), ElementsAre("notice listener_dropped"));
}

TEST(AcceptQueues, DropsOfANewListenerAreNoGrowth) {
  Host host;
  host.before.listeners.clear();
  host.listener().drops = 9;
  EXPECT_THAT(host.names(), ElementsAre("notice listener_dropped"));
}

TEST(AcceptQueues, FullTogetherWithCookiesIsOneCriticalFinding) {
  Host host;
  host.listener().fill = 1;
  host.listener().syn_fill = 0.8;
  host.grow(metric::cookies_sent, 30);
  EXPECT_THAT(host.names(), ElementsAre("critical cookies_and_full_accept_queue"));
  EXPECT_THAT(host.findings()[0].summary, HasSubstr("believe that they are connected"));
  EXPECT_THAT(host.findings()[0].evidence, Contains(Pair("new_cookies", std::optional(30.0))));
}

TEST(AcceptQueues, CookiesOfAnotherListenerAreASeparateFinding) {
  Host host;
  host.listener().fill = 1;
  host.grow(metric::cookies_sent, 30);
  EXPECT_THAT(host.names(), ElementsAre("critical accept_queue_full", "warning syn_cookies_sent"));
}

TEST(AcceptQueues, OneOfSeveralSocketsCanBeFull) {
  Host host;
  host.listener().fill = 1;
  host.listener().sockets = 4;
  const Finding finding = host.findings()[0];
  EXPECT_THAT(finding.summary, HasSubstr("One of the listener's 4 accept queues is full"));
  EXPECT_THAT(finding.evidence, Contains(Pair("sockets", std::optional(4.0))));
}

TEST(AcceptQueues, BurstsAreTheCauseOnlyIfTheQueueOverflowed) {
  Host host;
  host.set_in_both(metric::listen_overflows, 5);
  host.listener().drops = 3;
  EXPECT_THAT(host.findings()[0].action, HasSubstr("TcpExtTCPReqQFullDrop"));
  host.grow(metric::listen_overflows, 3);
  EXPECT_THAT(host.findings()[0].summary, HasSubstr("fills in bursts"));
}

TEST(AcceptQueues, DropsOfAFullSynQueueAreNotAttributedToTheAcceptQueue) {
  Host host;
  host.set_in_both(metric::syncookies, 0);
  host.listener().half_open = 128;
  host.listener().drops = 30;
  EXPECT_THAT(host.names(), ElementsAre("critical syn_queue_full"));
  EXPECT_THAT(host.findings()[0].evidence, Contains(Pair("new_drops", std::optional(30.0))));
}

TEST(AcceptQueues, WithoutAPreviousSnapshotCurrentDropsAreUnknown) {
  Host host;
  host.listener().drops = 9;
  EXPECT_THAT(host.findings(false)[0].summary, HasSubstr("next snapshot shows"));
  host.before.listeners[0].drops = 9;
  EXPECT_THAT(host.findings()[0].summary, HasSubstr("not since the previous snapshot"));
}

TEST(AcceptQueues, AFullSynQueueImpliesCookiesWithoutAPreviousSnapshot) {
  Host host;
  host.listener().fill = 1;
  host.listener().half_open = 129;
  EXPECT_THAT(host.names(false), ElementsAre("critical cookies_and_full_accept_queue"));
}

TEST(AcceptQueues, CookiesThatAreAlwaysSentAreASeparateNotice) {
  Host host;
  host.listener().fill = 1;
  host.set_in_both(metric::syncookies, 2);
  host.grow(metric::cookies_sent, 30);
  EXPECT_THAT(host.names(), ElementsAre("critical accept_queue_full", "notice syn_cookies_always"));
}

TEST(AcceptQueues, NameOwnerLimitAndSetting) {
  Host host;
  host.listener().fill = 1;
  const Finding finding = host.findings()[0];
  EXPECT_EQ(finding.affected.name, "0.0.0.0:443 (haproxy.service)");
  EXPECT_THAT(finding.affected.labels,
              AllOf(Contains(Pair("port", "443")), Contains(Pair("unit", "haproxy.service"))));
  EXPECT_THAT(finding.action, HasSubstr("`backlog N` in the frontend"));
  EXPECT_EQ(finding.limit, "backlog 128, set by the program (net.core.somaxconn = 4096)");
}

TEST(Backlog, DeterminesTheLimit) {
  Listener listener{.sockets = 4, .backlog = 512};
  EXPECT_EQ(limit_of(listener, 4096), BacklogLimit::unknown);
  listener.is_capped = false;
  EXPECT_EQ(limit_of(listener, 4096), BacklogLimit::program);
  EXPECT_EQ(limit_of(listener, std::nullopt), BacklogLimit::unknown);
  listener.is_capped = true;
  EXPECT_EQ(limit_of(listener, 128), BacklogLimit::somaxconn);
  EXPECT_EQ(limit_of(listener, 100), BacklogLimit::former_somaxconn);
}

TEST(Backlog, AdvisesWhatToRaise) {
  Listener listener{.owner = {.unit = "nginx.service"}, .backlog = 511, .is_capped = false};
  EXPECT_THAT(backlog_advice(listener, 4096),
              AllOf(HasSubstr("`listen ... backlog=N`"), HasSubstr("somaxconn does not help"),
                    Not(HasSubstr("restart"))));
  // A default of somaxconn, which may have been the limit at the time of listen().
  listener.backlog = 128;
  EXPECT_THAT(backlog_advice(listener, 4096), HasSubstr("somaxconn was raised after"));
  listener.is_capped = true;
  EXPECT_THAT(backlog_advice(listener, 128),
              AllOf(HasSubstr("raise net.core.somaxconn, then restart"), HasSubstr("nginx")));
  EXPECT_THAT(backlog_advice(listener, 100), HasSubstr("before you restart the program"));
  EXPECT_THAT(describe_limit(listener, std::nullopt), HasSubstr("128"));
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

TEST(SynQueues, AreFullAtTheBacklog) {
  Host host;
  host.listener().half_open = 128;
  EXPECT_THAT(host.names(), ElementsAre("warning syn_queue_full"));
  EXPECT_THAT(host.findings()[0].action, HasSubstr("tcp_max_syn_backlog has no effect"));
  host.listener().half_open = 127;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(SynQueues, AreCriticalWithoutCookies) {
  Host host;
  host.set_in_both(metric::syncookies, 0);
  host.listener().half_open = 128;
  EXPECT_THAT(host.names(), ElementsAre("critical syn_queue_full"));
  EXPECT_THAT(host.findings()[0].limit, HasSubstr("tcp_max_syn_backlog = 1024"));
}

TEST(SynQueues, MentionUnknownSyncookies) {
  Host host;
  host.now.values.erase(std::string(metric::syncookies));
  host.listener().half_open = 128;
  EXPECT_THAT(host.names(), ElementsAre("warning syn_queue_full"));
  EXPECT_THAT(host.findings()[0].summary, HasSubstr("could not be read"));
}

TEST(SynQueues, WithoutCookiesAreFullAtThreeQuartersOfMaxSynBacklog) {
  Host host;
  host.set_in_both(metric::syncookies, 0);
  host.set_in_both(metric::max_syn_backlog, 16);
  host.listener().half_open = 12;
  EXPECT_THAT(host.names(), ElementsAre("critical syn_queue_full"));
  host.listener().half_open = 11;
  EXPECT_THAT(host.names(), IsEmpty());
  host.set_in_both(metric::syncookies, 1);
  host.listener().half_open = 12;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(SynQueues, CountersRevealBursts) {
  Host host;
  host.grow(metric::cookies_sent, 1);
  EXPECT_THAT(host.names(), ElementsAre("warning syn_cookies_sent"));
  host.set_in_both(metric::syncookies, 0);
  host.grow(metric::cookies_sent, 0);
  host.grow(metric::syns_dropped, 1);
  EXPECT_THAT(host.names(), ElementsAre("critical syns_dropped"));
}

TEST(SynQueues, CookiesForEverySynAreOnlyANotice) {
  Host host;
  host.set_in_both(metric::syncookies, 2);
  host.grow(metric::cookies_sent, 300);
  host.listener().half_open = 200;
  EXPECT_THAT(host.names(), ElementsAre("notice syn_cookies_always"));
}

TEST(TimeWait, IsNearItsLimitFromEightyPercent) {
  Host host;
  host.set(metric::timewaits, 799);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(metric::timewaits, 800);
  EXPECT_THAT(host.names(), ElementsAre("warning time_wait_nearly_full"));
  host.set(metric::timewaits, 1000);
  EXPECT_THAT(host.names(), ElementsAre("warning time_wait_full"));
}

TEST(TimeWait, IsFullIfOverflowsGrow) {
  Host host;
  host.grow(metric::time_wait_overflows, 1);
  EXPECT_THAT(host.names(), ElementsAre("warning time_wait_full"));
  EXPECT_THAT(host.names(false), IsEmpty());
}

TEST(CloseWait, NeedsAMinimumAndAShareOfTheSockets) {
  Host host;
  host.now.ports = {{.port = "443", .close_wait = 100, .all = 400}};
  EXPECT_THAT(host.names(), ElementsAre("warning many_close_wait"));
  EXPECT_EQ(host.findings()[0].affected.name, "port 443");
  host.now.ports = {{.port = "443", .close_wait = 99, .all = 100}};
  EXPECT_THAT(host.names(), IsEmpty());
  host.now.ports = {{.port = "443", .close_wait = 100, .all = 401}};
  EXPECT_THAT(host.names(), IsEmpty());
  host.now.ports = {{.port = "other", .close_wait = 100, .all = 100}};
  EXPECT_EQ(host.findings()[0].affected.name, "outgoing connections");
}

TEST(Orphans, AreNearTheirLimitFromHalfOfIt) {
  Host host;
  host.set(metric::orphans, 499);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(metric::orphans, 500);
  EXPECT_THAT(host.names(), ElementsAre("warning orphans_near_limit"));
  host.set(metric::orphans, 1000);
  EXPECT_THAT(host.names(), ElementsAre("critical orphans_full"));
}

TEST(TcpMemory, HasThresholdsInPages) {
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  Host host;
  host.set(metric::tcp_memory_bytes, 100 * page - 1);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(metric::tcp_memory_bytes, 100 * page);
  EXPECT_THAT(host.names(), ElementsAre("warning tcp_memory_pressure"));
  host.set(metric::tcp_memory_bytes, 200 * page);
  EXPECT_THAT(host.names(), ElementsAre("critical tcp_memory_full"));
}

TEST(TcpMemory, CountersRevealPressureAndAborts) {
  Host host;
  host.grow(metric::memory_pressures, 1);
  EXPECT_THAT(host.names(), ElementsAre("warning tcp_memory_pressure"));
  host.grow(metric::memory_aborts, 1);
  EXPECT_THAT(host.names(), ElementsAre("critical tcp_memory_full"));
}

TEST(UdpQueues, AreFullNearlyFullOrDropping) {
  Host host;
  host.now.udp[0].fill = 0.8;
  EXPECT_THAT(host.names(), ElementsAre("warning udp_buffer_nearly_full"));
  host.now.udp[0].fill = 0.79;
  EXPECT_THAT(host.names(), IsEmpty());
  host.now.udp[0].fill = 1;
  EXPECT_THAT(host.names(), ElementsAre("critical udp_buffer_full"));
  host.now.udp[0].fill = 0.1;
  host.now.udp[0].drops = 4;
  EXPECT_THAT(host.names(), ElementsAre("critical udp_dropping"));
  host.before.udp[0].drops = 4;
  EXPECT_THAT(host.names(), ElementsAre("notice udp_dropped"));
}

TEST(UnixQueues, AreFullOrNearlyFull) {
  Host host;
  host.now.unix_listeners[0].fill = 0.8;
  EXPECT_THAT(host.names(), ElementsAre("warning unix_queue_nearly_full"));
  host.now.unix_listeners[0].fill = 1;
  EXPECT_THAT(host.names(), ElementsAre("critical unix_queue_full"));
  host.now.unix_listeners[0].fill = 0.79;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(Conntrack, IsFullNearlyFullOrDropping) {
  Host host;
  host.set(metric::conntrack_entries, 799);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(metric::conntrack_entries, 800);
  EXPECT_THAT(host.names(), ElementsAre("warning conntrack_nearly_full"));
  host.set(metric::conntrack_entries, 1000);
  EXPECT_THAT(host.names(), ElementsAre("critical conntrack_full"));
  host.set(metric::conntrack_entries, 10);
  host.grow(metric::conntrack_early_drops, 1);
  EXPECT_THAT(host.names(), ElementsAre("warning conntrack_nearly_full"));
  host.grow(metric::conntrack_drops, 1);
  EXPECT_THAT(host.names(), ElementsAre("critical conntrack_full"));
}

TEST(Conntrack, DropsOfAnEmptyTableHaveAnotherCause) {
  Host host;
  host.grow(metric::conntrack_drops, 1);
  EXPECT_THAT(host.names(), ElementsAre("warning conntrack_dropping"));
  EXPECT_THAT(host.findings()[0].action, HasSubstr("nf_conntrack_max does not help"));
}

TEST(Softnet, NamesTheCpuThatDrops) {
  Host host;
  host.now.dropped_by_cpu["1"] = 3;
  const Findings findings = host.findings();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rule, "softnet_dropping");
  EXPECT_EQ(findings[0].affected.name, "CPU 1");
  EXPECT_THAT(findings[0].evidence, Contains(Pair("new_drops", std::optional(3.0))));
  EXPECT_THAT(host.names(false), IsEmpty());
}

TEST(AbortOnOverflow, IsAWarningWhileAQueueIsFull) {
  Host host;
  host.set(metric::abort_on_overflow, 1);
  EXPECT_THAT(host.names(), ElementsAre("notice abort_on_overflow"));
  host.listener().fill = 1;
  EXPECT_THAT(host.names(), ElementsAre("critical accept_queue_full", "warning abort_on_overflow"));
}

TEST(SynSent, AFewAreANoticeManyAreAWarning) {
  Host host;
  host.now.tcp_states["syn_sent"] = 19;
  EXPECT_THAT(host.names(), IsEmpty());
  host.now.tcp_states["syn_sent"] = 20;
  EXPECT_THAT(host.names(), ElementsAre("notice syn_sent_waiting"));
  host.now.tcp_states["syn_sent"] = 200;
  EXPECT_THAT(host.names(), ElementsAre("warning syn_sent_waiting"));
}

}  // namespace
}  // namespace inetdiag::diagnosis
