// Applies the rules to a host in two snapshots.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exporter/diagnosis/metric_names.h"
#include "exporter/diagnosis/rules.h"

namespace inetdiag::testing {

namespace metric = diagnosis::metric;

/// A host without findings. Its counters are not zero: something happened before.
inline diagnosis::Namespace healthy_namespace() {
  diagnosis::Namespace host;
  const auto set = [&host](std::string_view name, double value) {
    host.values[std::string(name)] = value;
  };
  set(metric::somaxconn, 4096);
  set(metric::syncookies, 1);
  set(metric::max_syn_backlog, 1024);
  set(metric::max_tw_buckets, 1000);
  set(metric::max_orphans, 1000);
  set(metric::abort_on_overflow, 0);
  set(metric::tcp_memory_pressure, 409600);
  set(metric::tcp_memory_high, 819200);
  set(metric::netdev_max_backlog, 1000);
  set(metric::max_dgram_qlen, 10);
  set(metric::timewaits, 10);
  set(metric::orphans, 10);
  set(metric::tcp_memory_bytes, 4096);
  set(metric::conntrack_entries, 10);
  set(metric::conntrack_limit, 1000);
  set(metric::open_files, 100);
  set(metric::open_files_limit, 1000);
  set(metric::route_cache_entries, 10);
  set(metric::route_cache_limit, 4096);
  for (const char* family : {"{ipv4}", "{ipv6}"}) {
    const std::string label = family;
    set("inetdiag_neighbour_entries" + label, 10);
    set("inetdiag_neighbour_limit" + label, 1000);
    set("inetdiag_neighbour_table_fulls_total" + label, 5);
    set("inetdiag_neighbour_forced_gc_runs_total" + label, 5);
    set("inetdiag_fragments_memory_bytes" + label, 10'000);
    set("inetdiag_fragments_memory_limit_bytes" + label, 4'000'000);
  }
  set("inetdiag_nstat_ip_reasm_fails_total", 5);
  set("inetdiag_nstat_ip6_reasm_fails_total", 5);
  for (const std::string_view counter :
       {metric::conntrack_drops, metric::conntrack_early_drops, metric::conntrack_insert_failures,
        metric::cookies_sent, metric::cookies_received, metric::syns_dropped, metric::listen_drops,
        metric::listen_overflows, metric::time_wait_overflows, metric::memory_aborts,
        metric::memory_pressures, metric::fastopen_overflows, metric::sent_segments,
        metric::retransmitted_segments, metric::syn_retransmissions, metric::loss_probes,
        metric::duplicate_sacks, metric::active_opens, metric::passive_opens}) {
    set(counter, 1000);
  }
  for (const std::string_view counter : metric::udp_buffer_errors) {
    set(counter, 7);
  }
  set(metric::syn_sent_retransmitted, 2);
  set(metric::stalled_closes, 3);
  set(metric::port_sockets_age, 0);
  host.listeners = {{.endpoint = {"0.0.0.0", "443", ""},
                     .owner = {.unit = "haproxy.service"},
                     .waiting = 1,
                     .backlog = 128,
                     .fill = 1.0 / 129,
                     .half_open = 2,
                     .half_open_retransmitted = 1,
                     .syn_fill = 2.0 / 129,
                     .listen_drops = 9,
                     .socket_drops = 100,
                     .is_capped = false}};
  host.udp = {{.endpoint = {"0.0.0.0", "53", ""},
               .queued_bytes = 100,
               .limit_bytes = 1000,
               .fill = 0.1,
               .drops = 9}};
  host.unix_listeners = {{.path = "/run/php.sock", .waiting = 1, .backlog = 10, .fill = 1.0 / 11}};
  host.unix_receivers = {{.path = "/run/log.sock", .unread = 1, .pending_bytes = 1024}};
  host.ports = {{.port = "443",
                 .established = 900,
                 .close_wait = 3,
                 .all = 1000,
                 .retransmitting = 40,
                 .probing_window = 30,
                 .unread = 100},
                {.port = "outgoing", .established = 90, .close_wait = 3, .all = 100}};
  host.tcp_states = {{"established", 1000},
                     {"syn_sent", 30},
                     {"close_wait", 6},
                     {"fin_wait1", 3},
                     {"last_ack", 3}};
  host.dropped_by_cpu = {{"0", 5}, {"1", 0}};
  host.qdiscs = {
      {.device = "eth0", .kind = "fq_codel", .packets = 1000, .drops = 10, .limit_packets = 10240}};
  host.dropping_sockets = {{.name = "netlink route",
                            .kind = "netlink",
                            .labels = {{"protocol", "route"}},
                            .drops = 50,
                            .by_inode = {{"7", {.drops = 50, .pid = "90", .comm = "bird"}}}},
                           {.name = "raw vrrp ipv4",
                            .kind = "raw",
                            .labels = {{"family", "ipv4"}, {"protocol", "vrrp"}},
                            .queued_bytes = 212'992,
                            .drops = 50,
                            .by_inode = {{"8", {.drops = 50, .queued_bytes = 212'992}}}}};
  return host;
}

/// The current and the previous snapshot of a host. It is healthy, and serves 10 connections per
/// second.
struct DiagnosedHost {
  diagnosis::Namespace before = healthy_namespace();
  diagnosis::Namespace now = healthy_namespace();
  double seconds = 10;
  std::string netns{};

  DiagnosedHost() {
    grow(metric::passive_opens, 90);
    grow(metric::active_opens, 10);
    grow(metric::sent_segments, 10'000);
    grow(metric::retransmitted_segments, 40);
    grow(metric::loss_probes, 20);
    grow(metric::syn_retransmissions, 5);
    listener().socket_drops = 150;  // bare ACKs under TCP_DEFER_ACCEPT
  }

  void set(std::string_view name, double value) { now.values[std::string(name)] = value; }
  void set_in_both(std::string_view name, double value) {
    set(name, value);
    before.values[std::string(name)] = value;
  }
  void set_before_and_now(std::string_view name, double previous, double value) {
    before.values[std::string(name)] = previous;
    set(name, value);
  }
  /// Sets a counter to its previous value plus `by`.
  void grow(std::string_view name, double by) { set(name, *before.value(name) + by); }
  diagnosis::Listener& listener() { return now.listeners.front(); }
  diagnosis::Listener& listener_before() { return before.listeners.front(); }
  /// Adds a listener at a port above 443 to both snapshots, and returns that of the current one.
  diagnosis::Listener& add_listener(const char* port) {
    for (diagnosis::Namespace* snapshot : {&before, &now}) {
      snapshot->listeners.push_back(healthy_namespace().listeners.front());
      snapshot->listeners.back().endpoint.port = port;
    }
    return now.listeners.back();
  }

  diagnosis::Findings findings(bool has_previous = true) const {
    diagnosis::Findings findings;
    for (const diagnosis::Rule rule : diagnosis::rules) {
      rule({.netns = netns,
            .now = now,
            .before = has_previous ? &before : nullptr,
            .seconds = has_previous ? seconds : 0},
           findings);
    }
    return findings;
  }

  /// Returns, for example, `critical accept_queue_full`.
  std::vector<std::string> names(bool has_previous = true) const {
    std::vector<std::string> names;
    for (const diagnosis::Finding& finding : findings(has_previous)) {
      names.push_back(std::string(name_of(finding.severity)) + " " + finding.rule);
    }
    return names;
  }

  /// Returns the first finding; an empty one if there is none.
  diagnosis::Finding first(bool has_previous = true) const {
    const auto all = findings(has_previous);
    return all.empty() ? diagnosis::Finding{} : all.front();
  }
};

}  // namespace inetdiag::testing
