#include "exporter/diagnosis/snapshot.h"

#include <array>
#include <functional>
#include <tuple>
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
std::string path_of(const ClientMetric& series) { return label(series, "path"); }
std::string port_of(const ClientMetric& series) { return label(series, "port"); }
std::string device_of(const ClientMetric& series) { return label(series, "device"); }

/// Records that are assembled from several families, identified by `key_of` of their series.
template <typename Key, typename Record, Key (*key_of)(const ClientMetric&)>
class KeyedRecords {
 public:
  Record& at(const std::string& netns, const ClientMetric& series) {
    return records_[netns][key_of(series)];
  }

  void move_into(Snapshot& snapshot, std::vector<Record> Namespace::*destination,
                 Key Record::*key_member) {
    for (auto& [netns, records] : records_) {
      for (auto& [key, record] : records) {
        record.*key_member = key;
        (snapshot.namespaces[netns].*destination).push_back(std::move(record));
      }
    }
  }

 private:
  std::map<std::string, std::map<Key, Record>> records_;
};

double value_of(const ClientMetric& series, MetricType type) {
  return type == MetricType::Counter     ? series.counter.value
         : type == MetricType::Histogram ? static_cast<double>(series.histogram.sample_count)
                                         : series.gauge.value;
}

std::string pod_of(const std::string& pod_namespace, const std::string& name) {
  return name.empty() ? "" : pod_namespace + "/" + name;
}

std::string short_container_id(const std::string& id) {
  constexpr std::size_t length = 12;  // as in `docker ps`
  return id.substr(0, length);
}

class SeriesReader {
 public:
  void read(const MetricFamily& family) {
    const auto handler = handlers().find(family.name);
    for (const ClientMetric& series : family.metric) {
      const double value = value_of(series, family.type);
      const std::string netns = label(series, "netns");
      if (handler != handlers().end()) {
        handler->second(*this, netns, series, value);
      } else {
        read_single(family.name, netns, series, value);
      }
    }
  }

  void read(const RecentFill& fill) {
    ClientMetric series;
    series.label = fill.labels;
    listeners_.at(label(series, "netns"), series).recent_fill = fill;
  }

  Snapshot finish() {
    listeners_.move_into(snapshot_, &Namespace::listeners, &Listener::endpoint);
    udp_.move_into(snapshot_, &Namespace::udp, &UdpSockets::endpoint);
    unix_.move_into(snapshot_, &Namespace::unix_listeners, &UnixListener::path);
    unix_receivers_.move_into(snapshot_, &Namespace::unix_receivers, &UnixReceiver::path);
    ports_.move_into(snapshot_, &Namespace::ports, &PortSockets::port);
    qdiscs_.move_into(snapshot_, &Namespace::qdiscs, &Qdisc::device);
    for (auto& [netns, by_name] : dropping_sockets_) {
      for (auto& [name, sockets] : by_name) {
        snapshot_.namespaces[netns].dropping_sockets.push_back(std::move(sockets));
      }
    }
    assign_owner_states();
    snapshot_.namespaces.try_emplace("");
    return std::move(snapshot_);
  }

 private:
  using Handler =
      std::function<void(SeriesReader&, const std::string& netns, const ClientMetric&, double)>;
  using Handlers = std::unordered_map<std::string_view, Handler>;

  /// Assigns the value of a series to a member of its record.
  template <typename Records, typename Record, typename Value>
  static Handler assign(Records SeriesReader::*records, Value Record::*member) {
    return [records, member](SeriesReader& reader, const std::string& netns,
                             const ClientMetric& series, double value) {
      (reader.*records).at(netns, series).*member = static_cast<Value>(value);
    };
  }

  static const Handlers& handlers();

  void read_single(const std::string& name, const std::string& netns, const ClientMetric& series,
                   double value) {
    const std::size_t other_labels = series.label.size() - (netns.empty() ? 0 : 1);
    const std::string key = label(series, "field") + label(series, "family");
    if (other_labels == 0) {
      snapshot_.namespaces[netns].values.emplace(name, value);
    } else if (other_labels == 1 && !key.empty()) {
      snapshot_.namespaces[netns].values.emplace(name + "{" + key + "}", value);
    }
  }

  template <typename Records>
  static Handler assign_owner(Records SeriesReader::*records) {
    return [records](SeriesReader& reader, const std::string& netns, const ClientMetric& series,
                     double /*value*/) {
      (reader.*records).at(netns, series).owner = {
          .unit = label(series, "unit"),
          .machine = label(series, "machine"),
          .cgroup = label(series, "cgroup"),
          .pod_namespace = label(series, "pod_namespace"),
          .pod_name = label(series, "pod_name"),
          .pod_uid = label(series, "pod_uid"),
          .container_name = label(series, "container_name"),
          .container_id = label(series, "container_id"),
          .uid = label(series, "uid")};
    };
  }

  void read_samples(const std::string& netns, const ClientMetric& series, double value) {
    for (const auto& bucket : series.histogram.bucket) {
      if (bucket.upper_bound == full_sample_bound) {
        listeners_.at(netns, series).full_samples =
            value - static_cast<double>(bucket.cumulative_count);
      }
    }
  }

  void read_stalled_socket(const std::string& netns, const ClientMetric& series, double /*value*/) {
    listeners_.at(netns, series).stalled_inodes.push_back(label(series, "inode"));
  }

  OwnerState& owner_state(const std::string& netns, const ClientMetric& series) {
    return owner_states_[netns][endpoint_of(series)];
  }

  /// A listener that is aggregated has no record of its own.
  void assign_owner_states() {
    for (auto& [netns, states] : owner_states_) {
      for (Listener& listener : snapshot_.namespaces[netns].listeners) {
        if (const auto state = states.find(listener.endpoint); state != states.end()) {
          listener.owner_state = std::move(state->second);
        }
      }
    }
  }

  ListenerProcess& process(const std::string& netns, const ClientMetric& series) {
    return owner_state(netns, series).processes[label(series, "pid")];
  }

  CgroupState& cgroup(const std::string& netns, const ClientMetric& series) {
    const std::string hierarchy = label(series, "hierarchy");
    return owner_state(netns, series)
        .cgroups["/sys/fs/cgroup" + (hierarchy.empty() ? "" : "/" + hierarchy) +
                 label(series, "cgroup")];
  }

  void read_owner_processes(const std::string& netns, const ClientMetric& series, double value) {
    OwnerState& state = owner_state(netns, series);
    state.count = value;
    state.found_by = label(series, "found_by");
    state.needs = label(series, "needs");
  }

  void read_process(const std::string& netns, const ClientMetric& series, double /*value*/) {
    ListenerProcess& found = process(netns, series);
    found.comm = label(series, "comm");
    found.inode = label(series, "inode");
  }

  void read_threads(const std::string& netns, const ClientMetric& series, double value) {
    process(netns, series).threads[label(series, "state")] = value;
  }

  void read_memory_event(const std::string& netns, const ClientMetric& series, double value) {
    cgroup(netns, series).memory_events[label(series, "event")] = value;
  }

  void read_pressure(const std::string& netns, const ClientMetric& series, double value) {
    cgroup(netns, series).pressure[label(series, "resource")] = value;
  }

  template <typename Value>
  static Handler assign(Value ListenerProcess::*member) {
    return [member](SeriesReader& reader, const std::string& netns, const ClientMetric& series,
                    double value) { reader.process(netns, series).*member = value; };
  }

  template <typename Value>
  static Handler assign(Value CgroupState::*member) {
    return [member](SeriesReader& reader, const std::string& netns, const ClientMetric& series,
                    double value) {
      reader.cgroup(netns, series).*member = static_cast<Value>(value);
    };
  }

  void read_port(const std::string& netns, const ClientMetric& series, double value) {
    PortSockets& port = ports_.at(netns, series);
    port.all += value;
    if (label(series, "state") == "close_wait") {
      port.close_wait = value;
    } else if (label(series, "state") == "established") {
      port.established = value;
    }
  }

  void read_stalled(const std::string& netns, const ClientMetric& series, double value) {
    PortSockets& port = ports_.at(netns, series);
    if (label(series, "reason") == "retransmission") {
      port.retransmitting = value;
    } else if (label(series, "reason") == "zero_window") {
      port.probing_window = value;
    }
  }

  void read_tcp_state(const std::string& netns, const ClientMetric& series, double value) {
    snapshot_.namespaces[netns].tcp_states[label(series, "state")] = value;
  }

  void read_softnet(const std::string& netns, const ClientMetric& series, double value) {
    snapshot_.namespaces[netns].dropped_by_cpu[label(series, "cpu")] = value;
  }

  static Handler assign(double Qdisc::*member) {
    return [member](SeriesReader& reader, const std::string& netns, const ClientMetric& series,
                    double value) {
      Qdisc& qdisc = reader.qdiscs_.at(netns, series);
      qdisc.kind = label(series, "kind");
      qdisc.*member = value;
    };
  }

  /// `kind` is netlink, raw or packet.
  DroppingSockets& dropping_sockets(const char* kind, const std::string& netns,
                                    const ClientMetric& series) {
    const std::string protocol = label(series, "protocol");
    const std::string family = label(series, "family");
    std::string name = std::string(kind) + " " + protocol + (family.empty() ? "" : " " + family);
    DroppingSockets& sockets = dropping_sockets_[netns][name];
    if (sockets.name.empty()) {
      sockets.name = std::move(name);
      sockets.kind = kind;
      sockets.labels = {{"protocol", protocol}};
      if (!family.empty()) {
        sockets.labels.emplace("family", family);
      }
    }
    return sockets;
  }

  static Handler assign(const char* kind, double DroppingSockets::*member) {
    return [kind, member](SeriesReader& reader, const std::string& netns,
                          const ClientMetric& series, double value) {
      reader.dropping_sockets(kind, netns, series).*member = value;
    };
  }

  static Handler assign(const char* kind, double DroppingSocket::*member) {
    return [kind, member](SeriesReader& reader, const std::string& netns,
                          const ClientMetric& series, double value) {
      reader.dropping_sockets(kind, netns, series).by_inode[label(series, "inode")].*member = value;
    };
  }

  static Handler assign_process(const char* kind) {
    return [kind](SeriesReader& reader, const std::string& netns, const ClientMetric& series,
                  double /*value*/) {
      DroppingSocket& socket =
          reader.dropping_sockets(kind, netns, series).by_inode[label(series, "inode")];
      socket.pid = label(series, "pid");
      socket.comm = label(series, "comm");
    };
  }

  void read_namespace(const std::string& netns, const ClientMetric& series, double /*value*/) {
    Namespace& found = snapshot_.namespaces[netns];
    found.pod = pod_of(label(series, "pod_namespace"), label(series, "pod_name"));
    found.pin = label(series, "path");
  }

  Snapshot snapshot_;
  std::map<std::string, std::map<Endpoint, OwnerState>> owner_states_;
  KeyedRecords<Endpoint, Listener, endpoint_of> listeners_;
  KeyedRecords<Endpoint, UdpSockets, endpoint_of> udp_;
  KeyedRecords<std::string, UnixListener, path_of> unix_;
  KeyedRecords<std::string, UnixReceiver, path_of> unix_receivers_;
  KeyedRecords<std::string, Qdisc, device_of> qdiscs_;
  std::map<std::string, std::map<std::string, DroppingSockets>> dropping_sockets_;
  KeyedRecords<std::string, PortSockets, port_of> ports_;
};

const SeriesReader::Handlers& SeriesReader::handlers() {
  using R = SeriesReader;
  static const Handlers handlers = {
      {"inetdiag_listener_sockets", assign(&R::listeners_, &Listener::sockets)},
      {"inetdiag_listener_accept_queue_length", assign(&R::listeners_, &Listener::waiting)},
      {"inetdiag_listener_accept_queue_limit", assign(&R::listeners_, &Listener::backlog)},
      {"inetdiag_listener_accept_queue_fill_ratio", assign(&R::listeners_, &Listener::fill)},
      {"inetdiag_listener_syn_queue_length", assign(&R::listeners_, &Listener::half_open)},
      {"inetdiag_listener_syn_queue_fill_ratio", assign(&R::listeners_, &Listener::syn_fill)},
      {"inetdiag_listener_fullest_accept_queue_length",
       assign(&R::listeners_, &Listener::fullest_waiting)},
      {"inetdiag_listener_fullest_accept_queue_limit",
       assign(&R::listeners_, &Listener::fullest_backlog)},
      {"inetdiag_listener_accept_queue_oldest_seconds",
       assign(&R::listeners_, &Listener::oldest_seconds)},
      {"inetdiag_listener_accept_queue_stalled_seconds",
       assign(&R::listeners_, &Listener::stalled_seconds)},
      {"inetdiag_listener_stalled_sockets", assign(&R::listeners_, &Listener::stalled_sockets)},
      {"inetdiag_listener_stalled_sockets_waiting_connections",
       assign(&R::listeners_, &Listener::stalled_sockets_waiting)},
      {"inetdiag_listener_stalled_socket_info", &R::read_stalled_socket},
      {"inetdiag_listener_full_sockets", assign(&R::listeners_, &Listener::full_sockets)},
      {"inetdiag_listener_accept_queue_unread_connections",
       assign(&R::listeners_, &Listener::unread)},
      {"inetdiag_listener_accept_queue_sampled_fill_ratio", &R::read_samples},
      {"inetdiag_listener_accept_queue_peak_fill_ratio",
       assign(&R::listeners_, &Listener::peak_fill)},
      {"inetdiag_listener_accept_queue_abandoned_connections",
       assign(&R::listeners_, &Listener::abandoned)},
      {"inetdiag_listener_syn_queue_retransmitted",
       assign(&R::listeners_, &Listener::half_open_retransmitted)},
      {"inetdiag_listener_listen_drops_total", assign(&R::listeners_, &Listener::listen_drops)},
      {"inetdiag_listener_socket_drops_total", assign(&R::listeners_, &Listener::socket_drops)},
      {"inetdiag_listener_backlog_capped", assign(&R::listeners_, &Listener::is_capped)},
      {"inetdiag_listener_info", assign_owner(&R::listeners_)},
      {"inetdiag_listener_owner_processes", &R::read_owner_processes},
      {"inetdiag_listener_process_info", &R::read_process},
      {"inetdiag_listener_process_threads", &R::read_threads},
      {"inetdiag_listener_process_busiest_thread_cpu_ratio", assign(&ListenerProcess::busiest_cpu)},
      {"inetdiag_listener_process_busiest_thread_cpu_wait_ratio",
       assign(&ListenerProcess::busiest_wait)},
      {"inetdiag_listener_process_open_files", assign(&ListenerProcess::open_files)},
      {"inetdiag_listener_process_open_files_limit", assign(&ListenerProcess::open_files_limit)},
      {"inetdiag_listener_owner_frozen", assign(&CgroupState::is_frozen)},
      {"inetdiag_listener_owner_cpu_quota_cpus", assign(&CgroupState::cpu_quota)},
      {"inetdiag_listener_owner_cpu_periods_total", assign(&CgroupState::cpu_periods)},
      {"inetdiag_listener_owner_cpu_throttled_periods_total",
       assign(&CgroupState::throttled_periods)},
      {"inetdiag_listener_owner_cpu_throttled_seconds_total",
       assign(&CgroupState::throttled_seconds)},
      {"inetdiag_listener_owner_memory_bytes", assign(&CgroupState::memory_bytes)},
      {"inetdiag_listener_owner_memory_limit_bytes", assign(&CgroupState::memory_limit_bytes)},
      {"inetdiag_listener_owner_memory_events_total", &R::read_memory_event},
      {"inetdiag_listener_owner_pids", assign(&CgroupState::pids)},
      {"inetdiag_listener_owner_pids_limit", assign(&CgroupState::pids_limit)},
      {"inetdiag_listener_owner_pressure_ratio", &R::read_pressure},
      {"inetdiag_udp_sockets", assign(&R::udp_, &UdpSockets::sockets)},
      {"inetdiag_udp_fullest_receive_queue_bytes", assign(&R::udp_, &UdpSockets::fullest_bytes)},
      {"inetdiag_udp_fullest_receive_queue_limit_bytes",
       assign(&R::udp_, &UdpSockets::fullest_limit_bytes)},
      {"inetdiag_udp_info", assign_owner(&R::udp_)},
      {"inetdiag_unix_listener_fullest_accept_queue_length",
       assign(&R::unix_, &UnixListener::fullest_waiting)},
      {"inetdiag_unix_listener_fullest_accept_queue_limit",
       assign(&R::unix_, &UnixListener::fullest_backlog)},
      {"inetdiag_unix_listener_info", assign_owner(&R::unix_)},
      {"inetdiag_unix_datagram_unread", assign(&R::unix_receivers_, &UnixReceiver::unread)},
      {"inetdiag_unix_datagram_pending_bytes",
       assign(&R::unix_receivers_, &UnixReceiver::pending_bytes)},
      {"inetdiag_udp_receive_queue_bytes", assign(&R::udp_, &UdpSockets::queued_bytes)},
      {"inetdiag_udp_receive_queue_limit_bytes", assign(&R::udp_, &UdpSockets::limit_bytes)},
      {"inetdiag_udp_receive_queue_fill_ratio", assign(&R::udp_, &UdpSockets::fill)},
      {"inetdiag_udp_drops_total", assign(&R::udp_, &UdpSockets::drops)},
      {"inetdiag_unix_listener_accept_queue_length", assign(&R::unix_, &UnixListener::waiting)},
      {"inetdiag_unix_listener_accept_queue_limit", assign(&R::unix_, &UnixListener::backlog)},
      {"inetdiag_unix_listener_accept_queue_fill_ratio", assign(&R::unix_, &UnixListener::fill)},
      {"inetdiag_tcp_port_sockets", &R::read_port},
      {"inetdiag_tcp_port_stalled_sockets", &R::read_stalled},
      {"inetdiag_tcp_port_unread_sockets", assign(&R::ports_, &PortSockets::unread)},
      {"inetdiag_tcp_port_unread_unchanged_seconds",
       assign(&R::ports_, &PortSockets::unread_unchanged_seconds)},
      {"inetdiag_tcp_sockets", &R::read_tcp_state},
      {"inetdiag_softnet_dropped_total", &R::read_softnet},
      {"inetdiag_netns_info", &R::read_namespace},
      {"inetdiag_qdisc_packets_total", assign(&Qdisc::packets)},
      {"inetdiag_qdisc_drops_total", assign(&Qdisc::drops)},
      {"inetdiag_qdisc_overlimits_total", assign(&Qdisc::overlimits)},
      {"inetdiag_qdisc_queue_packets", assign(&Qdisc::queued_packets)},
      {"inetdiag_qdisc_limit_packets", assign(&R::qdiscs_, &Qdisc::limit_packets)},
      {"inetdiag_qdisc_limit_bytes", assign(&R::qdiscs_, &Qdisc::limit_bytes)},
      {"inetdiag_netlink_receive_queue_bytes", assign("netlink", &DroppingSockets::queued_bytes)},
      {"inetdiag_netlink_drops_total", assign("netlink", &DroppingSockets::drops)},
      {"inetdiag_netlink_socket_drops_total", assign("netlink", &DroppingSocket::drops)},
      {"inetdiag_netlink_socket_receive_queue_bytes",
       assign("netlink", &DroppingSocket::queued_bytes)},
      {"inetdiag_netlink_socket_info", assign_process("netlink")},
      {"inetdiag_raw_receive_queue_bytes", assign("raw", &DroppingSockets::queued_bytes)},
      {"inetdiag_raw_drops_total", assign("raw", &DroppingSockets::drops)},
      {"inetdiag_raw_socket_drops_total", assign("raw", &DroppingSocket::drops)},
      {"inetdiag_raw_socket_receive_queue_bytes", assign("raw", &DroppingSocket::queued_bytes)},
      {"inetdiag_raw_socket_info", assign_process("raw")},
      {"inetdiag_packet_receive_queue_bytes", assign("packet", &DroppingSockets::queued_bytes)},
      {"inetdiag_packet_drops_total", assign("packet", &DroppingSockets::drops)},
      {"inetdiag_packet_socket_drops_total", assign("packet", &DroppingSocket::drops)},
      {"inetdiag_packet_socket_receive_queue_bytes",
       assign("packet", &DroppingSocket::queued_bytes)},
      {"inetdiag_packet_socket_info", assign_process("packet")},
  };
  return handlers;
}

}  // namespace

std::strong_ordering Endpoint::operator<=>(const Endpoint& other) const {
  // A number with more digits is larger.
  return std::tuple(port.size(), std::string_view(port), std::string_view(address),
                    std::string_view(device)) <=>
         std::tuple(other.port.size(), std::string_view(other.port),
                    std::string_view(other.address), std::string_view(other.device));
}

std::string Endpoint::text() const {
  if (is_aggregated()) {
    return "other endpoints";
  }
  return address + ":" + port + (device.empty() ? "" : " on " + device);
}

LabelMap Endpoint::labels() const {
  LabelMap labels = {{"address", address}, {"port", port}};
  if (!device.empty()) {
    labels.emplace("device", device);
  }
  return labels;
}

std::string Owner::pod() const { return pod_of(pod_namespace, pod_name); }

std::string Owner::text(const std::string& known_pod) const {
  const std::string container =
      container_name.empty() ? short_container_id(container_id) : container_name;
  std::string text;
  if (!pod_name.empty() && pod() != known_pod) {
    text = "pod " + pod() + (container_name.empty() ? "" : ", container " + container_name);
  } else if (!unit.empty()) {
    text = unit + (machine.empty() ? "" : " in machine " + machine);
  } else if (!container.empty()) {
    text = "container " + container;
  } else if (!pod_uid.empty() && pod_name.empty()) {
    text = "pod " + pod_uid;
  } else if (!machine.empty()) {
    text = "machine " + machine;
  } else {
    text = uid.empty() ? cgroup : "uid " + uid;
  }
  return text;
}

std::string Owner::short_text() const {
  if (!container_name.empty()) {
    return container_name;
  }
  return unit.empty() && !container_id.empty() ? short_container_id(container_id) : text(pod());
}

LabelMap Owner::labels() const {
  LabelMap labels = {{"unit", unit},
                     {"machine", machine},
                     {"cgroup", cgroup},
                     {"pod_namespace", pod_namespace},
                     {"pod_name", pod_name},
                     {"pod_uid", pod_uid},
                     {"container_name", container_name},
                     {"container_id", container_id},
                     {"uid", uid}};
  std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
  return labels;
}

std::optional<double> Namespace::value(std::string_view metric) const {
  const auto found = values.find(metric);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

double Namespace::sockets_in(std::string_view tcp_state) const {
  const auto found = tcp_states.find(tcp_state);
  return found == tcp_states.end() ? 0 : found->second;
}

Snapshot snapshot_of(const std::vector<MetricFamily>& families,
                     std::vector<CollectorOutcome> outcomes,
                     const std::vector<RecentFill>& recent_fills) {
  SeriesReader reader;
  for (const MetricFamily& family : families) {
    reader.read(family);
  }
  for (const RecentFill& fill : recent_fills) {
    reader.read(fill);
  }
  Snapshot snapshot = reader.finish();
  snapshot.collectors = std::move(outcomes);
  return snapshot;
}

}  // namespace inetdiag::diagnosis
