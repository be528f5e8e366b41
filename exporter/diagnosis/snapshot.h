// The input of the rules: the series of one scrape, by network namespace.
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

#include "exporter/diagnosis/labels.h"
#include "exporter/scrape/result.h"

namespace inetdiag::diagnosis {

/// The labels that identify the sockets of a series.
struct Endpoint {
  std::string address{};
  std::string port{};
  std::string device{};

  /// Returns `0.0.0.0:443`, `[::]:443`, `10.0.0.1:443 on eth0`, or `other endpoints`.
  std::string text() const;
  LabelMap labels() const;
  /// Whether the series is the aggregate of the endpoints beyond the maximum number of series.
  bool is_aggregated() const { return address == "other"; }
  bool operator==(const Endpoint&) const = default;
  /// Orders by port, as a number.
  std::strong_ordering operator<=>(const Endpoint& other) const;
};

struct Owner {
  std::string unit{};
  std::string machine{};  ///< container of systemd-nspawn or LXC, or virtual machine of libvirt
  std::string cgroup{};
  std::string pod_namespace{};
  std::string pod_name{};
  std::string pod_uid{};
  std::string container_name{};
  std::string container_id{};
  std::string uid{};  ///< known for UNIX sockets only

  /// Returns the most readable of the names, without the pod if it is `known_pod`; empty if none is
  /// known.
  std::string text(const std::string& known_pod = {}) const;
  /// Returns `namespace/name`; empty if the pod is not known by name.
  std::string pod() const;
  /// Returns one name for a narrow column, beside the name of the pod.
  std::string short_text() const;
  LabelMap labels() const;
};

/// The highest bucket of inetdiag_listener_accept_queue_sampled_fill_ratio.
inline constexpr double full_sample_bound = 0.99;

/// Most processes of a listener with inetdiag_listener_process_info.
inline constexpr std::size_t max_listed_processes = 10;

/// A process that has a listener open, or is in its cgroup.
struct ListenerProcess {
  std::string comm{};
  std::string inode{};                      ///< of the socket that it has open; empty if unknown
  std::map<std::string, double> threads{};  ///< by state
  /// Of the busiest thread since the previous scrape: on a CPU, and runnable without one.
  std::optional<double> busiest_cpu{};
  std::optional<double> busiest_wait{};
  std::optional<double> open_files{};
  std::optional<double> open_files_limit{};
};

/// What limits the processes of a cgroup; see collectors/kernel/netns/cgroup_limits.h.
struct CgroupState {
  bool is_frozen = false;
  std::optional<double> cpu_quota{};  ///< in CPUs
  std::optional<double> cpu_periods{};
  std::optional<double> throttled_periods{};
  std::optional<double> throttled_seconds{};
  std::optional<double> memory_bytes{};
  std::optional<double> memory_limit_bytes{};
  std::map<std::string, double> memory_events{};
  std::optional<double> pids{};
  std::optional<double> pids_limit{};
  std::map<std::string, double> pressure{};  ///< by resource, from 0 to 1
};

/// Who should accept the waiting connections of a listener.
struct OwnerState {
  /// Processes. Not all are in `processes`: of many only some, and no parent of one that has the
  /// same socket.
  double count = 0;
  std::string found_by{};  ///< socket, cgroup or none; empty if the processes are unknown
  std::string needs{};     ///< the privilege that is missing to see them; empty if none is
  std::map<std::string, ListenerProcess> processes{};  ///< by PID
  /// By the directory below /sys.
  std::map<std::string, CgroupState> cgroups{};
};

/// TCP sockets that listen on the same endpoint.
struct Listener {
  Endpoint endpoint{};
  Owner owner{};
  double sockets = 1;
  double waiting = 0;  ///< connections in the accept queues
  double backlog = 0;  ///< sum over the sockets
  double fill = 0;     ///< of the fullest socket; 1: full
  /// Of the fullest socket, if there are several.
  std::optional<double> fullest_waiting{};
  std::optional<double> fullest_backlog{};
  /// How long the oldest waiting connection has waited.
  std::optional<double> oldest_seconds{};
  /// How long the program has accepted none of the waiting connections, at the socket with the
  /// longest such time.
  std::optional<double> stalled_seconds{};
  /// Of several sockets, those that accept none of their waiting connections.
  std::optional<double> stalled_sockets{};
  std::optional<double> stalled_sockets_waiting{};  ///< connections at these
  std::vector<std::string> stalled_inodes{};
  std::optional<double> full_sockets{};  ///< of several
  /// Waiting connections that the client has closed.
  std::optional<double> abandoned{};
  /// Waiting connections on which the client has sent data.
  std::optional<double> unread{};
  /// Samples of the full queue since the exporter started.
  std::optional<double> full_samples{};
  std::optional<double> peak_fill{};  ///< in the last minutes
  /// Known if a connection waited in the last minutes.
  std::optional<RecentFill> recent_fill{};
  std::optional<double> half_open{};
  std::optional<double> half_open_retransmitted{};  ///< those with a retransmitted SYN-ACK
  std::optional<double> syn_fill{};      ///< half-open connections / capacity of the SYN queue
  std::optional<double> listen_drops{};  ///< share of TcpExtListenDrops since the exporter started
  std::optional<double> socket_drops{};  ///< SK_MEMINFO_DROPS
  std::optional<bool> is_capped{};       ///< backlog >= somaxconn
  /// Known if connections wait, and waited in the previous scrape.
  std::optional<OwnerState> owner_state{};

  /// Of the fullest socket.
  double queue_length() const { return fullest_waiting.value_or(waiting); }
  double queue_backlog() const { return fullest_backlog.value_or(backlog); }
};

struct UdpSockets {
  Endpoint endpoint{};
  Owner owner{};
  double sockets = 1;
  double queued_bytes = 0;
  double limit_bytes = 0;
  double fill = 0;  ///< of the fullest socket
  /// Of the fullest socket, if there are several.
  std::optional<double> fullest_bytes{};
  std::optional<double> fullest_limit_bytes{};
  std::optional<double> drops{};  ///< SK_MEMINFO_DROPS

  double queue_bytes() const { return fullest_bytes.value_or(queued_bytes); }
  double buffer_bytes() const { return fullest_limit_bytes.value_or(limit_bytes); }
};

struct UnixListener {
  std::string path{};
  Owner owner{};
  double waiting = 0;
  double backlog = 0;
  double fill = 0;  ///< of the fullest socket
  std::optional<double> fullest_waiting{};
  std::optional<double> fullest_backlog{};

  double queue_length() const { return fullest_waiting.value_or(waiting); }
  double queue_backlog() const { return fullest_backlog.value_or(backlog); }
};

/// Datagram sockets bound to a path that have not read all datagrams.
struct UnixReceiver {
  std::string path{};
  double unread = 0;         ///< sockets with an unread datagram
  double pending_bytes = 0;  ///< memory of the datagrams of connected senders
};

/// Connected sockets of one local port; the port `other` has those without a listener.
struct PortSockets {
  std::string port{};
  double established = 0;
  double close_wait = 0;
  double all = 0;
  double retransmitting = 0;  ///< the oldest segment, at least twice in a row
  double probing_window = 0;  ///< the peer does not read
  double unread = 0;          ///< established, with bytes that the program has not read
  double unread_unchanged_seconds = 0;

  /// Whether the local port has no listener, so that the connections are outgoing ones.
  bool is_outgoing() const { return port == "outgoing"; }
  double open() const { return established + close_wait; }
};

/// The queueing discipline at the root of a device.
struct Qdisc {
  std::string device{};
  std::string kind{};
  double packets = 0;  ///< sent
  double drops = 0;
  double overlimits = 0;
  double queued_packets = 0;
  std::optional<double> limit_packets{};
  std::optional<double> limit_bytes{};
};

/// A socket that lost messages or packets.
struct DroppingSocket {
  double drops = 0;
  double queued_bytes = 0;
  std::string pid{};  ///< empty if unknown
  std::string comm{};
};

/// Netlink, raw or packet sockets of one protocol.
struct DroppingSockets {
  std::string name{};  ///< `netlink route`, `raw ospf (ipv4)`
  std::string kind{};  ///< netlink, raw or packet
  LabelMap labels{};
  double queued_bytes = 0;
  double drops = 0;
  std::map<std::string, DroppingSocket> by_inode{};
};

/// The vectors are sorted by endpoint, path, port, device or name.
struct Namespace {
  std::string pod{};  ///< `namespace/name` of the Kubernetes pod; empty if unknown
  std::string pin{};  ///< the file that the namespace is pinned at; empty if none
  std::vector<Listener> listeners{};
  std::vector<UdpSockets> udp{};
  std::vector<UnixListener> unix_listeners{};
  std::vector<UnixReceiver> unix_receivers{};
  std::vector<PortSockets> ports{};
  std::vector<Qdisc> qdiscs{};
  std::vector<DroppingSockets> dropping_sockets{};
  std::map<std::string, double, std::less<>> tcp_states{};
  std::map<std::string, double, std::less<>> dropped_by_cpu{};  ///< softnet
  /// Metrics with one series by name, metrics with the label `field` or `family` by `name{value}`.
  std::map<std::string, double, std::less<>> values{};

  std::optional<double> value(std::string_view metric) const;
  double sockets_in(std::string_view tcp_state) const;
};

struct Snapshot {
  /// By the label `netns`; empty for the exporter's own namespace.
  std::map<std::string, Namespace> namespaces{};
  std::vector<CollectorOutcome> collectors{};
};

Snapshot snapshot_of(const std::vector<prometheus::MetricFamily>& families,
                     std::vector<CollectorOutcome> outcomes,
                     const std::vector<RecentFill>& recent_fills = {});

}  // namespace inetdiag::diagnosis
