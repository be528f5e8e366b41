#include "exporter/diagnosis/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/diagnosed_host.h"

namespace inetdiag::diagnosis {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Rules, FindNothingOnAHealthyHost) {
  EXPECT_THAT(DiagnosedHost().names(), IsEmpty());
  EXPECT_THAT(DiagnosedHost().names(false), IsEmpty());
}

TEST(Rules, FindNothingWithoutData) {
  DiagnosedHost host;
  host.now = {};
  EXPECT_THAT(host.names(), IsEmpty());
  host.before = {};
  EXPECT_THAT(host.names(), IsEmpty());
  EXPECT_THAT(host.names(false), IsEmpty());
  // The namespace was not readable before: all counters seem to begin now.
  host.now = healthy_namespace();
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(Rules, FindNothingIfCountersWereReset) {
  DiagnosedHost host;
  for (auto& [name, value] : host.before.values) {
    if (name.ends_with("_total")) {
      value += 1'000'000;
    }
  }
  host.listener_before().listen_drops = 1'000'000;
  host.listener_before().socket_drops = 1'000'000;
  host.before.udp[0].drops = 1'000'000;
  host.before.dropped_by_cpu["0"] = 1'000'000;
  host.before.qdiscs[0].drops = 1'000'000;
  host.before.dropping_sockets[0].drops = 1'000'000;
  host.before.dropping_sockets[1].by_inode["8"] = {.drops = 1'000'000, .queued_bytes = 1'000'000};
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(Rules, WriteTheMetricAsAPromqlSelector) {
  EXPECT_EQ(selector("m", {}), "m");
  EXPECT_EQ(selector("m", {{"a", "1"}, {"path", "@b\"q\\x\n"}}), R"(m{a="1",path="@b\"q\\x\n"})");
}

/// A host with as many problems as possible at once.
DiagnosedHost broken_host() {
  DiagnosedHost host;
  Listener& full = host.listener();
  full.waiting = 129;
  full.fill = 1;
  full.oldest_seconds = 3;
  full.half_open = 129;
  full.syn_fill = 1;
  Listener& flooded = host.add_listener("444");
  flooded.half_open = 129;
  flooded.syn_fill = 1;
  Listener& stuck = host.add_listener("445");
  stuck.oldest_seconds = 60;
  stuck.stalled_seconds = 60;
  host.add_listener("446").listen_drops = 29;
  host.grow(metric::cookies_sent, 30);
  host.grow(metric::listen_drops, 50);
  host.grow(metric::listen_overflows, 50);
  host.grow(metric::fastopen_overflows, 1);
  host.now.udp[0].fill = 1;
  host.before.udp[0].fill = 1;
  host.now.unix_listeners[0].fill = 1;
  host.now.unix_receivers[0].pending_bytes = 1e6;
  host.now.ports[0].close_wait = host.before.ports[0].close_wait = 900;
  host.now.ports[0].retransmitting = host.before.ports[0].retransmitting = 900;
  host.now.ports[0].unread = 900;
  host.now.ports[0].unread_unchanged_seconds = 10;
  host.before.tcp_states["fin_wait1"] = 900;
  host.set(metric::stalled_closes, 900);
  host.now.dropped_by_cpu["1"] = 30;
  host.grow(metric::retransmitted_segments, 5000);
  host.set(metric::syn_sent_retransmitted, 1000);
  host.set_before_and_now(metric::attempt_fails, 0, 1000);
  host.set_before_and_now(metric::active_opens, 0, 100);
  host.set(metric::ephemeral_ports_fill, 1);
  host.set(metric::ephemeral_ports_usable, 28232);
  host.set(metric::timewaits, 1000);
  host.set(metric::orphans, 1000);
  host.set(metric::tcp_memory_bytes, 1e9);
  host.set(metric::conntrack_entries, 1000);
  host.set(metric::abort_on_overflow, 1);
  host.set(metric::open_files, 1000);
  host.set(metric::route_cache_entries, 4096);
  host.set("inetdiag_neighbour_entries{ipv4}", 1000);
  host.set("inetdiag_fragments_memory_bytes{ipv4}", 4'000'000);
  host.now.qdiscs[0].drops += 1000;
  host.now.dropping_sockets[0].drops += 1000;
  return host;
}

TEST(Rules, SetEveryTextOfAFinding) {
  const Findings findings = broken_host().findings();
  // listen_drops and unanswered_cookies exclude other findings. accept_queues() reports three
  // listeners, unix_queues() a listener and a receiver.
  EXPECT_EQ(findings.size(), rules.size() - 2 + 2 + 1);
  for (const Finding& finding : findings) {
    EXPECT_FALSE(finding.affected.kind.empty()) << finding.rule;
    EXPECT_FALSE(finding.affected.name.empty()) << finding.rule;
    EXPECT_FALSE(finding.evidence.empty()) << finding.rule;
    EXPECT_TRUE(finding.summary.ends_with('.')) << finding.rule;
    EXPECT_TRUE(finding.action.ends_with('.')) << finding.rule;
    EXPECT_THAT(finding.metric, HasSubstr("inetdiag_")) << finding.rule;
    for (const auto& text : {finding.summary, finding.action, finding.limit}) {
      EXPECT_THAT(text, Not(HasSubstr("  "))) << finding.rule;
      EXPECT_THAT(text, Not(EndsWith(".."))) << finding.rule;
      EXPECT_THAT(text, Not(HasSubstr("nan"))) << finding.rule;
    }
  }
}

TEST(Rules, LabelTheFindingsOfAnotherNamespace) {
  DiagnosedHost host = broken_host();
  host.netns = "blue";
  for (const Finding& finding : host.findings()) {
    if (finding.affected.kind != "cpu") {  // softnet is host-wide
      EXPECT_THAT(finding.affected.labels, Contains(::testing::Pair("netns", "blue")))
          << finding.rule;
    }
  }
}

}  // namespace
}  // namespace inetdiag::diagnosis
