// One scrape as the rules of the diagnosis read it: by network namespace, with names for what they
// ask about. It is made of the very series that /metrics shows.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

#include "exporter/scrape/result.h"

namespace inetdiag::diagnosis {

/// The labels that say which sockets a series is about.
struct Endpoint {
  std::string address{};
  std::string port{};
  std::string device{};

  /// `0.0.0.0:443`, `[::]:443`, `10.0.0.1:443 on eth0`; what is folded together is `others`.
  std::string text() const;
  /// Several endpoints beyond a bound on series, told as one.
  bool is_folded() const { return address == "other"; }
  auto operator<=>(const Endpoint&) const = default;
};

struct Owner {
  std::string unit{};
  std::string cgroup{};
  std::string pod_uid{};
  std::string container_id{};

  /// The shortest that a person knows it by; empty where nothing is known.
  std::string text() const;
};

/// TCP sockets that listen on the same endpoint.
struct Listener {
  Endpoint endpoint{};
  Owner owner{};
  double sockets = 1;
  double waiting = 0;  ///< connections in the accept queues
  double backlog = 0;  ///< summed over the sockets
  double fill = 0;     ///< of the fullest socket, 1 = full
  std::optional<double> half_open{};
  std::optional<double> drops{};
  std::optional<double> syn_fill{};  ///< half-open connections / what the SYN queue holds
  std::optional<bool> is_capped{};   ///< whether the backlog has reached somaxconn
};

struct UdpSockets {
  Endpoint endpoint{};
  double queued_bytes = 0;
  double limit_bytes = 0;
  double fill = 0;  ///< of the fullest socket
  std::optional<double> drops{};
};

struct UnixListener {
  std::string path{};
  double waiting = 0;
  double backlog = 0;
  double fill = 0;
};

/// Connected sockets by state on one local port; "other" are those without a listener.
struct PortSockets {
  std::string port{};
  double close_wait = 0;
  double all = 0;
};

/// What is known of one network namespace.
struct Namespace {
  std::string pod{};  ///< `namespace/name` of the Kubernetes pod, where known
  std::vector<Listener> listeners{};
  std::vector<UdpSockets> udp{};
  std::vector<UnixListener> unix_listeners{};
  std::vector<PortSockets> ports{};
  std::map<std::string, double, std::less<>> tcp_states{};
  std::map<std::string, double, std::less<>> dropped_by_cpu{};  ///< softnet
  /// Metrics of one series, by name; those with a `field` by `name{field}`.
  std::map<std::string, double, std::less<>> values{};

  std::optional<double> value(std::string_view metric) const;
};

struct Snapshot {
  /// By the label `netns`: the exporter's own namespace has none.
  std::map<std::string, Namespace> namespaces{};
  std::vector<CollectorOutcome> collectors{};
  std::string netns_folder = "/run/netns";  ///< where namespaces are pinned
};

Snapshot snapshot_of(const std::vector<prometheus::MetricFamily>& families,
                     std::vector<CollectorOutcome> outcomes);

}  // namespace inetdiag::diagnosis
