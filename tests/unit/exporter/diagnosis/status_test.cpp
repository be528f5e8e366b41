#include "exporter/diagnosis/status.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "collectors/support/family.h"
#include "exporter/diagnosis/html.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/snapshot_history.h"
#include "exporter/diagnosis/status_json.h"
#include "exporter/diagnosis/status_page.h"
#include "exporter/diagnosis/status_text.h"
#include "exporter/diagnosis/terminal.h"

namespace inetdiag::diagnosis {
namespace {

using namespace std::chrono_literals;
using Families = std::vector<prometheus::MetricFamily>;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

prometheus::MetricFamily gauge(const char* name, const Labels& labels, double value) {
  auto family = gauge_family(name, "help");
  add_series(family, labels, value);
  return family;
}

prometheus::MetricFamily counter(const char* name, const Labels& labels, double value) {
  auto family = counter_family(name, "help");
  add_series(family, labels, value);
  return family;
}

/// The families of a host with one listener, whose accept queue is full.
Families full_listener(double drops, const std::string& unit = "web.service",
                       const std::string& netns = "") {
  Labels labels = {{"address", "0.0.0.0"}, {"port", "443"}, {"netns", netns}};
  Labels owner = labels;
  owner.push_back({"unit", unit});
  return {gauge("inetdiag_listener_sockets", labels, 1),
          gauge("inetdiag_listener_accept_queue_length", labels, 129),
          gauge("inetdiag_listener_accept_queue_limit", labels, 128),
          gauge("inetdiag_listener_accept_queue_fill_ratio", labels, 1),
          gauge("inetdiag_listener_syn_queue_length", labels, 3),
          gauge("inetdiag_listener_syn_queue_fill_ratio", labels, 3.0 / 129),
          counter("inetdiag_listener_listen_drops_total", labels, drops),
          counter("inetdiag_listener_socket_drops_total", labels, 2 * drops),
          gauge("inetdiag_listener_backlog_capped", labels, 0),
          gauge("inetdiag_listener_info", owner, 1),
          gauge("inetdiag_sysctl_net_core_somaxconn", {{"netns", netns}}, 4096)};
}

Families healthy_host() {
  return {gauge("inetdiag_tcp_time_wait", {}, 100),
          gauge("inetdiag_sysctl_net_ipv4_tcp_max_tw_buckets", {}, 1000),
          gauge("inetdiag_tcp_orphans", {}, 1),
          gauge("inetdiag_sysctl_net_ipv4_tcp_max_orphans", {}, 1000)};
}

Snapshot snapshot_of(const Families& families, bool has_listeners = true) {
  return diagnosis::snapshot_of(
      families, {{.name = "listeners", .success = has_listeners, .seconds = 0.001}});
}

Status status_of(const Families& families, bool has_listeners = true) {
  return diagnose({std::chrono::steady_clock::now(), snapshot_of(families, has_listeners)},
                  nullptr);
}

TEST(Snapshots, HaveTheStateOfTheOwnerOfAListener) {
  const Labels labels = {{"address", "0.0.0.0"}, {"port", "443"}};
  const auto with = [&](const Labels& more) {
    Labels all = labels;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  Families families = full_listener(1);
  families.push_back(gauge("inetdiag_listener_owner_processes",
                           with({{"found_by", "socket"}, {"needs", "CAP_SYS_PTRACE"}}), 2));
  families.push_back(gauge("inetdiag_listener_process_info",
                           with({{"pid", "812"}, {"comm", "web"}, {"inode", "4711"}}), 1));
  families.push_back(
      gauge("inetdiag_listener_process_threads", with({{"pid", "812"}, {"state", "stopped"}}), 3));
  families.push_back(gauge("inetdiag_listener_owner_frozen",
                           with({{"cgroup", "/a"}, {"hierarchy", "freezer"}}), 1));
  families.push_back(counter("inetdiag_listener_owner_memory_events_total",
                             with({{"cgroup", "/a"}, {"event", "max"}}), 5));
  families.push_back(gauge("inetdiag_listener_owner_processes",
                           {{"address", "0.0.0.0"}, {"port", "444"}, {"found_by", "none"}}, 0));
  const auto listeners = snapshot_of(families).namespaces.at("").listeners;
  ASSERT_THAT(listeners, SizeIs(1)) << "an aggregated listener gets no record";
  ASSERT_TRUE(listeners[0].owner_state);
  const OwnerState& owner = *listeners[0].owner_state;
  EXPECT_EQ(owner.count, 2);
  EXPECT_EQ(owner.needs, "CAP_SYS_PTRACE");
  EXPECT_EQ(owner.processes.at("812").comm, "web");
  EXPECT_EQ(owner.processes.at("812").inode, "4711");
  EXPECT_EQ(owner.processes.at("812").threads.at("stopped"), 3);
  EXPECT_TRUE(owner.cgroups.at("/sys/fs/cgroup/freezer/a").is_frozen);
  EXPECT_EQ(owner.cgroups.at("/sys/fs/cgroup/a").memory_events.at("max"), 5);
}

TEST(Snapshot, AssemblesAListenerFromItsFamilies) {
  const Snapshot snapshot = snapshot_of(full_listener(7));
  const auto& listeners = snapshot.namespaces.at("").listeners;
  ASSERT_EQ(listeners.size(), 1U);
  EXPECT_EQ(listeners[0].endpoint.text(), "0.0.0.0:443");
  EXPECT_EQ(listeners[0].waiting, 129);
  EXPECT_EQ(listeners[0].backlog, 128);
  EXPECT_EQ(listeners[0].half_open, 3);
  EXPECT_EQ(listeners[0].listen_drops, 7);
  EXPECT_EQ(listeners[0].socket_drops, 14);
  EXPECT_EQ(listeners[0].oldest_seconds, std::nullopt);
  EXPECT_EQ(listeners[0].owner.text(), "web.service");
  EXPECT_EQ(snapshot.namespaces.at("").value("inetdiag_sysctl_net_core_somaxconn"), 4096);
  ASSERT_EQ(snapshot.collectors.size(), 1U);
  EXPECT_TRUE(snapshot.collectors[0].success);
}

TEST(Snapshot, ReadsTheQueueOfTheFullestSocket) {
  Families families = full_listener(0);
  const Labels labels = {{"address", "0.0.0.0"}, {"port", "443"}};
  for (const auto& [name, value] : {std::pair("fullest_accept_queue_length", 17.0),
                                    {"fullest_accept_queue_limit", 16},
                                    {"accept_queue_oldest_seconds", 2.5},
                                    {"accept_queue_stalled_seconds", 1.5},
                                    {"accept_queue_abandoned_connections", 4},
                                    {"syn_queue_retransmitted", 2}}) {
    families.push_back(gauge(("inetdiag_listener_" + std::string(name)).c_str(), labels, value));
  }
  const Listener listener = snapshot_of(families).namespaces.at("").listeners.at(0);
  EXPECT_EQ(listener.queue_length(), 17);
  EXPECT_EQ(listener.queue_backlog(), 16);
  EXPECT_EQ(listener.waiting, 129);
  EXPECT_EQ(listener.oldest_seconds, 2.5);
  EXPECT_EQ(listener.stalled_seconds, 1.5);
  EXPECT_EQ(listener.abandoned, 4);
  EXPECT_EQ(listener.half_open_retransmitted, 2);
}

TEST(Snapshot, SortsListenersByPort) {
  Families families;
  for (const char* port : {"8080", "443", "other", "80"}) {
    families.push_back(
        gauge("inetdiag_listener_sockets", {{"address", "0.0.0.0"}, {"port", port}}, 1));
  }
  const Snapshot snapshot = snapshot_of(families);
  std::vector<std::string> ports;
  for (const Listener& listener : snapshot.namespaces.at("").listeners) {
    ports.push_back(listener.endpoint.port);
  }
  EXPECT_THAT(ports, ElementsAre("80", "443", "8080", "other"));
}

TEST(Snapshot, ReadsEveryKindOfQueue) {
  auto ports = gauge("inetdiag_tcp_port_sockets", {{"port", "80"}, {"state", "close_wait"}}, 5);
  add_series(ports, {{"port", "80"}, {"state", "established"}}, 20);
  auto memory = gauge("inetdiag_sysctl_net_ipv4_tcp_mem", {{"field", "low"}}, 1);
  add_series(memory, {{"field", "high"}}, 3);
  const Snapshot snapshot = snapshot_of(
      {ports, memory, gauge("inetdiag_tcp_sockets", {{"state", "syn_sent"}}, 4),
       gauge("inetdiag_udp_receive_queue_fill_ratio", {{"address", "[::]"}, {"port", "53"}}, 0.5),
       gauge("inetdiag_udp_fullest_receive_queue_bytes", {{"address", "[::]"}, {"port", "53"}}, 7),
       gauge("inetdiag_unix_listener_accept_queue_fill_ratio", {{"path", "@x"}}, 0.25),
       gauge("inetdiag_unix_listener_info", {{"path", "@x"}, {"uid", "33"}}, 1),
       gauge("inetdiag_unix_datagram_unread", {{"path", "/log"}}, 1),
       gauge("inetdiag_unix_datagram_pending_bytes", {{"path", "/log"}}, 768),
       counter("inetdiag_softnet_dropped_total", {{"cpu", "3"}}, 9)});
  const Namespace& own = snapshot.namespaces.at("");
  EXPECT_EQ(own.ports.at(0).close_wait, 5);
  EXPECT_EQ(own.ports.at(0).all, 25);
  EXPECT_EQ(own.value("inetdiag_sysctl_net_ipv4_tcp_mem{high}"), 3);
  EXPECT_EQ(own.tcp_states.at("syn_sent"), 4);
  EXPECT_EQ(own.udp.at(0).endpoint.text(), "[::]:53");
  EXPECT_EQ(own.udp.at(0).fill, 0.5);
  EXPECT_EQ(own.udp.at(0).queue_bytes(), 7);
  EXPECT_EQ(own.unix_listeners.at(0).path, "@x");
  EXPECT_EQ(own.unix_listeners.at(0).owner.text(), "uid 33");
  EXPECT_EQ(own.unix_receivers.at(0).path, "/log");
  EXPECT_EQ(own.unix_receivers.at(0).unread, 1);
  EXPECT_EQ(own.unix_receivers.at(0).pending_bytes, 768);
  EXPECT_EQ(own.dropped_by_cpu.at("3"), 9);
}

TEST(Snapshot, SeparatesNamespaces) {
  Families families = full_listener(0);
  for (auto& family : full_listener(5, "", "blue")) {
    families.push_back(family);
  }
  families.push_back(gauge("inetdiag_netns_info",
                           {{"netns", "blue"}, {"pod_namespace", "shop"}, {"pod_name", "web-0"}},
                           1));
  const Snapshot snapshot = snapshot_of(families);
  EXPECT_EQ(snapshot.namespaces.at("").listeners.at(0).listen_drops, 0);
  EXPECT_EQ(snapshot.namespaces.at("blue").listeners.at(0).listen_drops, 5);
  EXPECT_EQ(snapshot.namespaces.at("blue").value("inetdiag_sysctl_net_core_somaxconn"), 4096);
  const Status status = status_of(families);
  ASSERT_EQ(status.findings.size(), 2U);
  EXPECT_EQ(status.findings[1].affected.name, "0.0.0.0:443 in pod shop/web-0");
}

TEST(Owner, HasTheMostReadableName) {
  EXPECT_EQ((Owner{.unit = "a.service", .cgroup = "/a"}).text(), "a.service");
  EXPECT_EQ((Owner{.cgroup = "/a", .container_id = "0123456789abcdef"}).text(),
            "container 0123456789ab");
  EXPECT_EQ((Owner{.cgroup = "/a", .pod_uid = "u"}).text(), "pod u");
  EXPECT_EQ((Owner{.cgroup = "/a"}).text(), "/a");
  EXPECT_EQ(Owner().text(), "");
}

TEST(Status, SortsFindingsBySeverity) {
  Families families = full_listener(0);
  families.push_back(gauge("inetdiag_tcp_time_wait", {}, 1000));
  families.push_back(gauge("inetdiag_sysctl_net_ipv4_tcp_max_tw_buckets", {}, 1000));
  const Status status = status_of(families);
  ASSERT_EQ(status.findings.size(), 2U);
  EXPECT_EQ(status.findings[0].rule, "accept_queue_full");
  EXPECT_EQ(status.severity(), Severity::critical);
}

TEST(Status, SortsFindingsOfOneSeverityByDamage) {
  Families families;
  for (const auto& [port, waiting_seconds] : {std::pair("80", 3.0), {"81", 900}, {"82", 60}}) {
    const Labels labels = {{"address", "0.0.0.0"}, {"port", port}};
    families.push_back(gauge("inetdiag_listener_accept_queue_length", labels, 17));
    families.push_back(gauge("inetdiag_listener_accept_queue_limit", labels, 16));
    families.push_back(gauge("inetdiag_listener_accept_queue_fill_ratio", labels, 1));
    families.push_back(
        gauge("inetdiag_listener_accept_queue_oldest_seconds", labels, waiting_seconds));
  }
  std::vector<std::string> names;
  for (const Finding& finding : status_of(families).findings) {
    names.push_back(finding.affected.name);
  }
  EXPECT_THAT(names, ElementsAre("0.0.0.0:81", "0.0.0.0:82", "0.0.0.0:80"));
}

TEST(Status, NamesTheWorstFindingFirst) {
  Families families = full_listener(0);
  const std::string one = status_text(status_of(families), false);
  EXPECT_THAT(one, HasSubstr("0.0.0.0:443 (web.service) has a full accept queue\n"));
  families.push_back(gauge("inetdiag_tcp_time_wait", {}, 1000));
  families.push_back(gauge("inetdiag_sysctl_net_ipv4_tcp_max_tw_buckets", {}, 1000));
  EXPECT_THAT(status_text(status_of(families), false),
              HasSubstr("has a full accept queue; 1 more warning\n"));
}

TEST(Status, NamesNoLimitThatIsFarAway) {
  EXPECT_THAT(status_text(status_of(healthy_host()), false),
              AllOf(HasSubstr("All queues have room.\n"), Not(HasSubstr("Closest"))));
}

TEST(Status, NamesTheClosestLimitOfAHealthyHost) {
  Families families = healthy_host();
  families[0] = gauge("inetdiag_tcp_time_wait", {}, 500);
  const Status status = status_of(families);
  EXPECT_THAT(status.findings, IsEmpty());
  EXPECT_EQ(status.severity(), std::nullopt);
  ASSERT_NE(status.closest(), nullptr);
  EXPECT_EQ(status.closest()->resource, "net.ipv4.tcp_max_tw_buckets");
  EXPECT_EQ(status.closest()->ratio, 0.5);
  EXPECT_THAT(status_text(status, false),
              HasSubstr("All queues have room. Closest to its limit: timewait sockets\n"
                        "(net.ipv4.tcp_max_tw_buckets), 500 / 1000, 50 %.\n"));
}

TEST(Status, NamesTheEphemeralPortsThatAreLeft) {
  Families families = healthy_host();
  families.push_back(gauge("inetdiag_ephemeral_ports_fill_ratio", {}, 0.75));
  families.push_back(gauge("inetdiag_ephemeral_ports_usable", {}, 28232));
  EXPECT_THAT(status_text(status_of(families), false),
              HasSubstr("Closest to its limit: ephemeral ports (to one\n"
                        "destination), 21174 / 28232, 75 %.\n"));
}

TEST(Status, SpeaksOfOutgoingConnectionsInThePlural) {
  Families families = healthy_host();
  const Labels labels = {{"port", "outgoing"}};
  families.push_back(
      gauge("inetdiag_tcp_port_sockets", {{"port", "outgoing"}, {"state", "established"}}, 20));
  families.push_back(gauge("inetdiag_tcp_port_unread_sockets", labels, 20));
  families.push_back(gauge("inetdiag_tcp_port_unread_unchanged_seconds", labels, 10));
  EXPECT_THAT(status_text(status_of(families), false),
              HasSubstr("outgoing connections are not read by their program\n"));
}

TEST(Status, IsIncompleteWithoutListeners) {
  const Status status = status_of(healthy_host(), false);
  EXPECT_TRUE(status.is_incomplete());
  EXPECT_THAT(status_text(status, false), HasSubstr("No data on listeners"));
  EXPECT_THAT(status_page(status, {.metrics = "/metrics"}, "n"), HasSubstr("No data on listeners"));
  EXPECT_EQ(nlohmann::json::parse(status_json(status))["incomplete"], true);
  ASSERT_EQ(status.findings.size(), 1U);
  EXPECT_EQ(status.findings[0].affected.name, "collector listeners");
  EXPECT_FALSE(status_of(healthy_host()).is_incomplete());
}

TimedSnapshot listener_at(double drops, std::chrono::steady_clock::time_point time) {
  return {time, snapshot_of(full_listener(drops))};
}

TEST(SnapshotHistory, ComparesWithThePreviousSnapshot) {
  SnapshotHistory history;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(history.diagnose(listener_at(1, begin)).seconds_since_previous, std::nullopt);
  const Status second = history.diagnose(listener_at(4, begin + 5s));
  EXPECT_EQ(second.seconds_since_previous, 5);
  EXPECT_EQ(second.listeners[0].new_listen_drops, 3);
  // A request of another client a moment later is also compared with the first snapshot.
  const Status third = history.diagnose(listener_at(4, begin + 5100ms));
  EXPECT_EQ(third.listeners[0].new_listen_drops, 3);
  EXPECT_EQ(history.diagnose(listener_at(4, begin + 10s)).listeners[0].new_listen_drops, 0);
}

TEST(SnapshotHistory, IgnoresOldSnapshots) {
  SnapshotHistory history;
  const auto begin = std::chrono::steady_clock::now();
  history.diagnose(listener_at(1, begin));
  EXPECT_EQ(history.diagnose(listener_at(4, begin + 16min)).seconds_since_previous, std::nullopt);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

TEST(StatusText, FitsInEightyColumns) {
  Families families = full_listener(8412, "a-service-with-a-rather-long-name.service");
  const Labels labels = {{"address", "[2001:db8:1234:5678:9abc:def0:1234:5678]"},
                         {"port", "65535"}};
  families.push_back(gauge("inetdiag_listener_accept_queue_length", labels, 65536));
  families.push_back(gauge("inetdiag_listener_accept_queue_limit", labels, 65535));
  families.push_back(counter("inetdiag_listener_listen_drops_total", labels, 0));
  const TimedSnapshot before{std::chrono::steady_clock::now(), snapshot_of(families)};
  families.back() = counter("inetdiag_listener_listen_drops_total", labels, 123456789);
  const std::string text =
      status_text(diagnose({before.time + 10s, snapshot_of(families)}, &before), false);
  for (const std::string& line : lines_of(text)) {
    if (!line.starts_with("    inetdiag_")) {  // a series on one line, for copying
      EXPECT_LE(display_width(line), 80U) << line;
    }
  }
  EXPECT_THAT(text, AllOf(HasSubstr("CRITICAL  0.0.0.0:443 (a-service-with-a-rather-long-name"),
                          HasSubstr("[####] 129/129"), HasSubstr("123.4M"),
                          HasSubstr("[2001:db8:1234:5678:9abc:def0:1234:5678]:65535\n")));
}

TEST(StatusText, CountsAggregatedListeners) {
  Families families = full_listener(0);
  const Labels other = {{"address", "other"}, {"port", "other"}};
  families.push_back(gauge("inetdiag_listener_sockets", other, 300));
  families.push_back(gauge("inetdiag_listener_accept_queue_limit", other, 300 * 128));
  families.push_back(gauge("inetdiag_listeners_aggregated", {}, 250));
  const Status status = status_of(families);
  EXPECT_THAT(status_text(status, false), HasSubstr("\nand 250 more "));
  EXPECT_THAT(status_page(status, {.metrics = "/metrics"}, "n"), HasSubstr("and 250 more<"));
}

TEST(StatusText, IsColoredOnRequest) {
  const Status status = status_of(full_listener(0));
  EXPECT_THAT(status_text(status, false), Not(HasSubstr("\x1b")));
  EXPECT_THAT(status_text(status, true), HasSubstr("\x1b[1;31mCRITICAL\x1b[0m"));
}

constexpr const char* hostile = "\x1b[2J<script>alert('x')</script>\xE2\x80\xAE\n\"&.service";

TEST(StatusText, ReplacesControlCharactersInNames) {
  const std::string text = status_text(status_of(full_listener(0, hostile)), false);
  EXPECT_THAT(text, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\xE2\x80\xAE"))));
  EXPECT_THAT(text, HasSubstr("?[2J<script>"));
}

TEST(StatusPage, EscapesNames) {
  const std::string page =
      status_page(status_of(full_listener(0, hostile)), {.metrics = "/m\"etrics"}, "nonce");
  EXPECT_THAT(page, AllOf(Not(HasSubstr("<script>")), HasSubstr("&lt;script&gt;"),
                          Not(HasSubstr("\x1b")), HasSubstr("href=\"/m&quot;etrics\"")));
}

TEST(StatusPage, ShowsCommandsAsCode) {
  EXPECT_THAT(status_page(status_of(full_listener(0, "")), {.metrics = "/metrics"}, "n"),
              HasSubstr("<code>ss -ltnp sport = :443</code> names the program."));
  const std::string page =
      status_page(status_of(full_listener(0, "a`b`<i>`.service")), {.metrics = "/metrics"}, "n");
  EXPECT_THAT(page, Not(HasSubstr("<i>")));
}

TEST(StatusPage, RefreshesItselfUnlessDisabled) {
  const Status status = status_of(healthy_host());
  EXPECT_THAT(status_page(status, {.metrics = "/metrics", .refresh_seconds = 5}, "n"),
              AllOf(HasSubstr("<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>"),
                    HasSubstr("<script nonce=\"n\" data-seconds=\"5\">"),
                    HasSubstr("href=\"/?refresh=0\"")));
  EXPECT_THAT(
      status_page(status, {.metrics = "/metrics"}, "n"),
      AllOf(Not(HasSubstr("http-equiv")), Not(HasSubstr("<script")), HasSubstr("href=\"/\"")));
}

TEST(StatusPage, AnnouncesAVerdictWithoutNumbersThatAlwaysChange) {
  Families families = healthy_host();
  families.push_back(gauge("inetdiag_conntrack_entries", {}, 612));
  families.push_back(gauge("inetdiag_conntrack_limit", {}, 1000));
  const std::string page = status_page(status_of(families), {.metrics = "/metrics"}, "n");
  EXPECT_THAT(page, HasSubstr("<p class=\"verdict fine\" role=\"status\"><bdi>All queues have "
                              "room.</bdi></p>\n<p><bdi>Closest to its limit: conntrack entries"));
}

/// The history of the accept queue of full_listener().
RecentFill recent_fill() {
  return {.labels = {{"address", "0.0.0.0"}, {"port", "443"}},
          .slot_seconds = 10,
          .ratios = {std::nullopt, 0, 0.5, 1}};
}

Status status_with_samples(const std::vector<RecentFill>& fills) {
  Families families = full_listener(0);
  families.push_back(counter("inetdiag_listener_accept_queue_samples_total", {}, 7));
  return diagnose(
      {std::chrono::steady_clock::now(),
       diagnosis::snapshot_of(families, {{.name = "listeners", .success = true}}, fills)},
      nullptr);
}

TEST(StatusPage, ShowsTheLastMinutesWhereAcceptQueuesAreSampled) {
  const auto page_of = [](const Status& status) {
    return status_page(status, {.metrics = "/metrics"}, "n");
  };
  EXPECT_THAT(page_of(status_of(full_listener(0))),
              AllOf(Not(HasSubstr("Last 5 minutes")), Not(HasSubstr("<svg"))));
  EXPECT_THAT(
      page_of(status_with_samples({})),
      AllOf(HasSubstr(">Last 5 minutes</th>"), HasSubstr(">empty<"), Not(HasSubstr("<svg"))));
  EXPECT_THAT(page_of(status_with_samples({recent_fill()})),
              AllOf(HasSubstr("<svg class=\"sparkline\" role=\"img\""), HasSubstr("max 100 %"),
                    Not(HasSubstr(">empty<"))));
}

TEST(StatusPage, HasSectionsWithHeadingsAndTablesWithHeaders) {
  const std::string page =
      status_page(status_of(full_listener(0)), {.metrics = "/metrics", .refresh_seconds = 5}, "n");
  for (const std::string id : {"findings", "listeners", "limits", "collectors"}) {
    EXPECT_THAT(page,
                HasSubstr("<section aria-labelledby=\"" + id + "\">\n<h2 id=\"" + id + "\">"));
  }
  EXPECT_THAT(page,
              AllOf(HasSubstr("<html lang=\"en\">"), HasSubstr("<main>"), HasSubstr("<header>"),
                    HasSubstr("<footer>"), HasSubstr("<caption>"), HasSubstr("scope=\"col\""),
                    HasSubstr("scope=\"row\""), Not(HasSubstr("tabindex"))));
}

TEST(StatusPage, LoadsNoExternalResources) {
  const std::string page =
      status_page(status_of(full_listener(0)), {.metrics = "/metrics", .refresh_seconds = 5}, "n0");
  EXPECT_THAT(page, AllOf(HasSubstr("<style nonce=\"n0\">"), Not(HasSubstr("style=\"")),
                          Not(HasSubstr("src=")), Not(HasSubstr("http://")),
                          Not(HasSubstr("https://")), Not(HasSubstr("onclick"))));
}

TEST(StatusJson, HasFindingsAndListeners) {
  const auto document = nlohmann::json::parse(status_json(status_of(full_listener(7, hostile))));
  EXPECT_EQ(document["schema_version"], 1);
  EXPECT_EQ(document["severity"], "critical");
  const auto& finding = document["findings"].at(0);
  EXPECT_EQ(finding["rule"], "accept_queue_full");
  EXPECT_EQ(finding["evidence"]["waiting"], 129);
  EXPECT_EQ(finding["evidence"]["new_listen_drops"], nullptr);
  EXPECT_EQ(finding["affected"]["labels"]["unit"], hostile);
  const auto& listener = document["listeners"].at(0);
  EXPECT_EQ(listener["accept_queue"]["fill_ratio"], 1);
  EXPECT_EQ(listener["accept_queue"]["oldest_seconds"], nullptr);
  EXPECT_EQ(listener["accept_queue"]["recent_fill"], nullptr);
  EXPECT_EQ(listener["socket_drops"], 14);
  EXPECT_EQ(listener["new_listen_drops"], nullptr);
  EXPECT_EQ(listener["limit_set_by"], "program");
  EXPECT_EQ(listener["device"], nullptr);
  EXPECT_EQ(document["closest_limit"]["resource"], "0.0.0.0:443");
}

TEST(StatusJson, HasTheFillOfTheLastMinutes) {
  const auto document = nlohmann::json::parse(status_json(status_with_samples({recent_fill()})));
  const auto& fill = document["listeners"].at(0)["accept_queue"]["recent_fill"];
  EXPECT_EQ(fill["slot_seconds"], 10);
  EXPECT_EQ(fill["ratios"], nlohmann::json::parse("[null, 0, 0.5, 1]"));
}

TEST(StatusJson, HasNoSeverityOnAHealthyHost) {
  const auto document = nlohmann::json::parse(status_json(status_of(healthy_host())));
  EXPECT_EQ(document["severity"], nullptr);
  EXPECT_EQ(document["incomplete"], false);
  EXPECT_THAT(document["findings"], SizeIs(0));
}

TEST(Terminal, ReplacesControlCharacters) {
  EXPECT_EQ(replace_controls("\x1b\x80"), "??");
  EXPECT_EQ(replace_controls("a\x07"
                             "b\x7F\xC2\x9B\xE2\x81\xA6\xD8\x9C\xC3\xA4"),
            "a?b????\xC3\xA4");
}

TEST(Terminal, TruncatesByCodePoints) {
  EXPECT_EQ(truncate("\xC3\xA4\xC3\xA4\xC3\xA4", 3), "\xC3\xA4\xC3\xA4\xC3\xA4");
  EXPECT_EQ(truncate("\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4", 3), "\xC3\xA4\xC3\xA4~");
}

TEST(Terminal, WrapsAtBlanks) {
  EXPECT_EQ(wrap("x ", "aa bb cc", 2, 6), "x aa\n  bb\n  cc\n");
  EXPECT_EQ(wrap("", "toolongaword b", 0, 5), "toolongaword\nb\n");
  EXPECT_EQ(wrap("only ", "", 0, 5), "only \n");
}

TEST(NumberFormat, FitsNumbersBytesAndPercentages) {
  EXPECT_EQ(format_number(5), "5");
  EXPECT_EQ(format_number(0.126), "0.13");
  EXPECT_EQ(format_short_number(99999, 6), "99999");
  EXPECT_EQ(format_short_number(1234567, 6), "1234k");
  EXPECT_EQ(format_short_number(65535, 4), "65k");
  EXPECT_EQ(format_short_number(999999999, 4), "999M");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(12), "12 B");
  EXPECT_EQ(format_value("queued_bytes", 2048), "2.0 KiB");
  EXPECT_EQ(format_percent(0.999), "99 %");
  EXPECT_EQ(format_duration(0.04), "0.0 s");
  EXPECT_EQ(format_duration(9.94), "9.9 s");
  EXPECT_EQ(format_duration(119), "119 s");
  EXPECT_EQ(format_duration(120), "2 min");
}

TEST(Html, EscapesSpecialAndControlCharacters) {
  EXPECT_EQ(escape_html("<a href='x'>\"&\x01\x7F\xC3\xA4"),
            "&lt;a href=&#39;x&#39;&gt;&quot;&amp;\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xA4");
}

}  // namespace
}  // namespace inetdiag::diagnosis
