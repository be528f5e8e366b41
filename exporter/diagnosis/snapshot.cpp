#include "exporter/diagnosis/snapshot.h"

#include <array>
#include <functional>
#include <unordered_map>
#include <utility>

namespace inetdiag::diagnosis {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string label(const ClientMetric& series, std::string_view name) {
  for (const auto& label : series.label) {
    if (label.name == name) {
      return label.value;
    }
  }
  return {};
}

Endpoint endpoint_of(const ClientMetric& series) {
  return {label(series, "address"), label(series, "port"), label(series, "device")};
}

/// Things that several families tell of, found again by what names them.
template <typename Key, typename Thing>
class Gathered {
 public:
  Thing& at(const std::string& netns, const Key& key) {
    return things_[netns].try_emplace(key).first->second;
  }

  void move_into(Snapshot& snapshot, std::vector<Thing> Namespace::*place, Key Thing::*name) {
    for (auto& [netns, things] : things_) {
      for (auto& [key, thing] : things) {
        thing.*name = key;
        (snapshot.namespaces[netns].*place).push_back(std::move(thing));
      }
    }
  }

 private:
  std::map<std::string, std::map<Key, Thing>> things_;
};

/// Takes the series one by one.
class Reader {
 public:
  void read(const MetricFamily& family) {
    const auto known = readers().find(family.name);
    for (const ClientMetric& series : family.metric) {
      const double value =
          family.type == MetricType::Counter ? series.counter.value : series.gauge.value;
      const std::string netns = label(series, "netns");
      if (known != readers().end()) {
        known->second(*this, netns, series, value);
      } else {
        read_single(family.name, netns, series, value);
      }
    }
  }

  Snapshot take() {
    listeners_.move_into(snapshot_, &Namespace::listeners, &Listener::endpoint);
    udp_.move_into(snapshot_, &Namespace::udp, &UdpSockets::endpoint);
    unix_.move_into(snapshot_, &Namespace::unix_listeners, &UnixListener::path);
    ports_.move_into(snapshot_, &Namespace::ports, &PortSockets::port);
    snapshot_.namespaces[""];
    return std::move(snapshot_);
  }

 private:
  using Read = std::function<void(Reader&, const std::string& netns, const ClientMetric&, double)>;
  using Readers = std::unordered_map<std::string_view, Read>;

  template <typename Set>
  static Read of_listener(Set set) {
    return [set](Reader& reader, const std::string& netns, const ClientMetric& series,
                 double value) { set(reader.listeners_.at(netns, endpoint_of(series)), value); };
  }

  template <typename Set>
  static Read of_udp(Set set) {
    return [set](Reader& reader, const std::string& netns, const ClientMetric& series,
                 double value) { set(reader.udp_.at(netns, endpoint_of(series)), value); };
  }

  template <typename Set>
  static Read of_unix(Set set) {
    return [set](Reader& reader, const std::string& netns, const ClientMetric& series,
                 double value) { set(reader.unix_.at(netns, label(series, "path")), value); };
  }

  static const Readers& readers();

  void read_single(const std::string& name, const std::string& netns, const ClientMetric& series,
                   double value) {
    const std::size_t own_labels = series.label.size() - (netns.empty() ? 0 : 1);
    const std::string field = label(series, "field");
    if (own_labels == 0) {
      snapshot_.namespaces[netns].values.emplace(name, value);
    } else if (own_labels == 1 && !field.empty()) {
      snapshot_.namespaces[netns].values.emplace(name + "{" + field + "}", value);
    }
  }

  void read_owner(const std::string& netns, const ClientMetric& series) {
    listeners_.at(netns, endpoint_of(series)).owner = {
        label(series, "unit"), label(series, "cgroup"), label(series, "pod_uid"),
        label(series, "container_id")};
  }

  void read_port(const std::string& netns, const ClientMetric& series, double value) {
    PortSockets& port = ports_.at(netns, label(series, "port"));
    port.all += value;
    if (label(series, "state") == "close_wait") {
      port.close_wait = value;
    }
  }

  void read_pod(const std::string& netns, const ClientMetric& series) {
    const std::string name = label(series, "pod_name");
    if (!name.empty()) {
      snapshot_.namespaces[netns].pod = label(series, "pod_namespace") + "/" + name;
    }
  }

  Snapshot snapshot_;
  Gathered<Endpoint, Listener> listeners_;
  Gathered<Endpoint, UdpSockets> udp_;
  Gathered<std::string, UnixListener> unix_;
  Gathered<std::string, PortSockets> ports_;
};

const Reader::Readers& Reader::readers() {
  static const Readers readers = {
      {"inetdiag_listener_sockets", of_listener([](Listener& l, double v) { l.sockets = v; })},
      {"inetdiag_listener_accept_queue_length",
       of_listener([](Listener& l, double v) { l.waiting = v; })},
      {"inetdiag_listener_accept_queue_limit",
       of_listener([](Listener& l, double v) { l.backlog = v; })},
      {"inetdiag_listener_accept_queue_fill_ratio",
       of_listener([](Listener& l, double v) { l.fill = v; })},
      {"inetdiag_listener_syn_queue_length",
       of_listener([](Listener& l, double v) { l.half_open = v; })},
      {"inetdiag_listener_syn_queue_fill_ratio",
       of_listener([](Listener& l, double v) { l.syn_fill = v; })},
      {"inetdiag_listener_drops_total", of_listener([](Listener& l, double v) { l.drops = v; })},
      {"inetdiag_listener_backlog_capped",
       of_listener([](Listener& l, double v) { l.is_capped = v > 0; })},
      {"inetdiag_listener_info", [](Reader& r, const std::string& netns, const ClientMetric& s,
                                    double) { r.read_owner(netns, s); }},
      {"inetdiag_udp_receive_queue_bytes",
       of_udp([](UdpSockets& u, double v) { u.queued_bytes = v; })},
      {"inetdiag_udp_receive_queue_limit_bytes",
       of_udp([](UdpSockets& u, double v) { u.limit_bytes = v; })},
      {"inetdiag_udp_receive_queue_fill_ratio",
       of_udp([](UdpSockets& u, double v) { u.fill = v; })},
      {"inetdiag_udp_drops_total", of_udp([](UdpSockets& u, double v) { u.drops = v; })},
      {"inetdiag_unix_listener_accept_queue_length",
       of_unix([](UnixListener& u, double v) { u.waiting = v; })},
      {"inetdiag_unix_listener_accept_queue_limit",
       of_unix([](UnixListener& u, double v) { u.backlog = v; })},
      {"inetdiag_unix_listener_accept_queue_fill_ratio",
       of_unix([](UnixListener& u, double v) { u.fill = v; })},
      {"inetdiag_tcp_port_sockets", [](Reader& r, const std::string& netns, const ClientMetric& s,
                                       double v) { r.read_port(netns, s, v); }},
      {"inetdiag_tcp_sockets",
       [](Reader& r, const std::string& netns, const ClientMetric& s, double v) {
         r.snapshot_.namespaces[netns].tcp_states[label(s, "state")] = v;
       }},
      {"inetdiag_softnet_dropped_total",
       [](Reader& r, const std::string& netns, const ClientMetric& s, double v) {
         r.snapshot_.namespaces[netns].dropped_by_cpu[label(s, "cpu")] = v;
       }},
      {"inetdiag_netns_info", [](Reader& r, const std::string& netns, const ClientMetric& s,
                                 double) { r.read_pod(netns, s); }},
  };
  return readers;
}

}  // namespace

std::string Endpoint::text() const {
  if (is_folded()) {
    return "others";
  }
  return address + ":" + port + (device.empty() ? "" : " on " + device);
}

std::string Owner::text() const {
  constexpr std::size_t short_id = 12;
  if (!unit.empty()) {
    return unit;
  }
  if (!container_id.empty()) {
    return "container " + container_id.substr(0, short_id);
  }
  return pod_uid.empty() ? cgroup : "pod " + pod_uid;
}

std::optional<double> Namespace::value(std::string_view metric) const {
  const auto found = values.find(metric);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

Snapshot snapshot_of(const std::vector<MetricFamily>& families,
                     std::vector<CollectorOutcome> outcomes) {
  Reader reader;
  for (const MetricFamily& family : families) {
    reader.read(family);
  }
  Snapshot snapshot = reader.take();
  snapshot.collectors = std::move(outcomes);
  return snapshot;
}

}  // namespace inetdiag::diagnosis
