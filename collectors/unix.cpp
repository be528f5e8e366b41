#include "collectors/unix.h"

#include <algorithm>
#include <array>
#include <exception>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include "collectors/kernel/netlink/netlink.h"
#include "collectors/kernel/netlink/unix_diag.h"
#include "collectors/support/family_table.h"
#include "collectors/support/owner_labels.h"

namespace inetdiag {
namespace {

using kernel::TcpState;
using kernel::UnixSocket;

// Sockets with a queue at least this full are aggregated last.
constexpr double notable_fill = 0.5;

constexpr auto other_path = "other";

/// Whether the kernel chose this abstract name (unix(7), "Autobind feature"). It differs at each
/// start of the program, as does that of the exporter's own HTTP server.
bool is_autobound(std::string_view name) {
  constexpr std::size_t length = 6;
  return name.size() == length && name.front() == '@' &&
         name.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
}

// One more than join_values() shows: users can listen on one path in many mount namespaces.
constexpr std::size_t max_uids = 11;

/// The accept queue of one socket.
struct UnixAcceptQueue {
  std::uint64_t length = 0;
  std::uint64_t backlog = 0;

  /// The queue holds one connection more than the backlog (unix_recvq_full: length > backlog).
  double fill() const { return static_cast<double>(length) / (static_cast<double>(backlog) + 1); }
};

UnixAcceptQueue fuller(const UnixAcceptQueue& a, const UnixAcceptQueue& b) {
  // The size decides between equal ratios, so that the order of the dump does not.
  const auto order = [](const UnixAcceptQueue& queue) {
    return std::tuple(queue.fill(), queue.length, queue.backlog);
  };
  return order(a) < order(b) ? b : a;
}

/// The listening sockets of one path, possibly in several mount namespaces, or an aggregate.
struct UnixListener {
  std::string path{};
  bool is_aggregate = false;
  std::uint64_t sockets = 0;
  std::uint64_t waiting = 0;
  std::uint64_t backlog = 0;
  UnixAcceptQueue fullest{};
  std::set<std::uint32_t> uids{};  ///< of the owners, the lowest max_uids

  void add(const UnixSocket& socket) {
    ++sockets;
    waiting += socket.receive_queue;
    backlog += socket.send_queue;
    fullest = fuller(fullest, {socket.receive_queue, socket.send_queue});
    if (socket.uid) {
      uids.insert(*socket.uid);
      if (uids.size() > max_uids) {
        uids.erase(std::prev(uids.end()));
      }
    }
  }

  void aggregate(const UnixListener& listener) {
    sockets += listener.sockets;
    waiting += listener.waiting;
    backlog += listener.backlog;
    fullest = fuller(fullest, listener.fullest);
  }

  /// Returns the fullest queue where the sums can hide it.
  std::optional<UnixAcceptQueue> hidden_queue() const {
    const std::uint64_t visible_sockets = is_aggregate ? 0 : 1;
    return sockets > visible_sockets ? std::optional(fullest) : std::nullopt;
  }
};

using enum prometheus::MetricType;

constexpr auto unix_families = std::to_array<FamilySpec<UnixListener>>({
    {Gauge, "inetdiag_unix_listener_accept_queue_length",
     "Connections waiting for accept() at this UNIX socket (unix_diag).",
     field<&UnixListener::waiting>},
    {Gauge, "inetdiag_unix_listener_accept_queue_limit",
     "Backlog of this UNIX socket, the smaller of the listen() argument and net.core.somaxconn at "
     "that time (unix_diag).",
     field<&UnixListener::backlog>},
    {Gauge, "inetdiag_unix_listener_accept_queue_fill_ratio",
     "Waiting connections / (backlog + 1) at this UNIX socket; at 1 connect() blocks or fails with "
     "EAGAIN (unix_diag).",
     [](const UnixListener& listener) { return sample(listener.fullest.fill()); }},
    {Gauge, "inetdiag_unix_listener_fullest_accept_queue_length",
     "Connections waiting for accept() at the fullest socket, where several sockets share this "
     "path (unix_diag).",
     [](const UnixListener& listener) {
       const auto queue = listener.hidden_queue();
       return queue ? sample(queue->length) : std::nullopt;
     }},
    {Gauge, "inetdiag_unix_listener_fullest_accept_queue_limit",
     "Backlog of the fullest socket, where several sockets share this path (unix_diag).",
     [](const UnixListener& listener) {
       const auto queue = listener.hidden_queue();
       return queue ? sample(queue->backlog) : std::nullopt;
     }},
});

/// The datagram sockets bound to one path, or an aggregate.
struct UnixReceiver {
  std::string path{};
  bool has_unread = false;
  std::uint64_t pending_bytes = 0;

  bool is_idle() const { return !has_unread && pending_bytes == 0; }

  void aggregate(const UnixReceiver& receiver) {
    has_unread = has_unread || receiver.has_unread;
    pending_bytes += receiver.pending_bytes;
  }
};

constexpr auto receiver_families = std::to_array<FamilySpec<UnixReceiver>>({
    {Gauge, "inetdiag_unix_datagram_unread",
     "Whether datagrams wait in the queue of this UNIX datagram socket, which holds "
     "net.unix.max_dgram_qlen + 1 (unix_diag udiag_rqueue).",
     field<&UnixReceiver::has_unread>},
    {Gauge, "inetdiag_unix_datagram_pending_bytes",
     "Memory of datagrams that sockets connected to this UNIX datagram socket have sent and that "
     "are not read, with kernel overhead (unix_diag udiag_wqueue of the senders).",
     field<&UnixReceiver::pending_bytes>},
});

/// Joins datagram sockets with the sockets connected to them.
class UnixDatagrams {
 public:
  void add(const UnixSocket& socket) {
    if (socket.type != SOCK_DGRAM) {
      return;
    }
    if (!socket.name.empty()) {
      receivers_[socket.inode] = {.path = socket.name, .has_unread = socket.receive_queue > 0};
    }
    if (socket.peer_inode && socket.send_queue > 0) {
      pending_bytes_[*socket.peer_inode] += socket.send_queue;
    }
    kernel::check_kept_sockets(receivers_.size() + pending_bytes_.size(), "UNIX datagram sockets");
  }

  /// Returns the receivers that are not idle, those with the most memory first.
  std::vector<UnixReceiver> take() {
    std::map<std::string, UnixReceiver> by_path;
    for (auto& [inode, receiver] : receivers_) {
      const auto pending = pending_bytes_.find(inode);
      receiver.pending_bytes = pending == pending_bytes_.end() ? 0 : pending->second;
      if (!receiver.is_idle()) {
        by_path[valid_utf8(receiver.path)].aggregate(receiver);
      }
    }
    std::vector<UnixReceiver> ranked;
    for (auto& [path, receiver] : by_path) {
      receiver.path = path;
      ranked.push_back(std::move(receiver));
    }
    std::ranges::stable_sort(ranked, std::ranges::greater(), &UnixReceiver::pending_bytes);
    return ranked;
  }

 private:
  std::unordered_map<std::uint32_t, UnixReceiver> receivers_;       ///< by inode
  std::unordered_map<std::uint32_t, std::uint64_t> pending_bytes_;  ///< by inode of the receiver
};

std::string joined_uids(const std::set<std::uint32_t>& uids) {
  std::vector<std::string> texts(uids.size());
  std::ranges::transform(uids, texts.begin(),
                         [](std::uint32_t uid) { return std::to_string(uid); });
  return join_values(texts);
}

std::string_view name_of_type(std::uint8_t type) {
  switch (type) {
    case SOCK_STREAM:
      return "stream";
    case SOCK_DGRAM:
      return "dgram";
    case SOCK_SEQPACKET:
      return "seqpacket";
    default:
      return "unknown";
  }
}

/// UNIX sockets use three states of TCP (net/unix/af_unix.c).
std::string_view name_of_state(TcpState state) {
  switch (state) {
    case TcpState::established:
      return "established";
    case TcpState::listen:
      return "listen";
    case TcpState::close:
      return "close";
    default:
      return "unknown";
  }
}

class Unix final : public Collector {
 public:
  explicit Unix(const Settings& settings)
      : max_(settings.whole_number("max", 0, std::numeric_limits<std::uint32_t>::max())) {}

  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    // Keyed by label value, because two paths can become the same valid UTF-8.
    std::map<std::string, UnixListener> listeners;
    Counts counts;
    const std::uint32_t listening = kernel::mask(TcpState::listen);
    dump(context, listening, UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID,
         [&](const UnixSocket& socket) {
           if (!is_autobound(socket.name)) {
             listeners[valid_utf8(socket.name)].add(socket);
           }
           kernel::check_kept_sockets(listeners.size(), "UNIX listeners");
           ++counts[{name_of_type(socket.type), name_of_state(socket.state)}];
         });
    add_listeners(collection, std::move(listeners));
    // The other sockets are more, and must not cost the listeners.
    try {
      std::uint32_t states_with_datagrams = 0;
      dump(context, ~listening, UDIAG_SHOW_RQLEN, [&](const UnixSocket& socket) {
        ++counts[{name_of_type(socket.type), name_of_state(socket.state)}];
        if (socket.type == SOCK_DGRAM && (socket.receive_queue > 0 || socket.send_queue > 0)) {
          states_with_datagrams |= kernel::mask(socket.state);
        }
      });
      add_counts(collection, counts);
      if (states_with_datagrams != 0) {
        add_receivers(collection, unread_datagrams(context, states_with_datagrams));
      }
    } catch (const std::exception& error) {
      collection.errors.emplace_back(error.what());
    }
    return collection;
  }

 private:
  /// By type and state.
  using Counts = std::map<std::pair<std::string_view, std::string_view>, std::uint64_t>;

  static void add_counts(Collection& collection, const Counts& counts) {
    auto& sockets = collection.families.emplace_back(gauge_family(
        "inetdiag_unix_sockets", "Number of UNIX sockets by type and state (unix_diag)."));
    for (const auto& [kind, count] : counts) {
      add_series(sockets, {{"type", std::string(kind.first)}, {"state", std::string(kind.second)}},
                 static_cast<double>(count));
    }
  }

  template <typename Each>
  static void dump(const ScrapeContext& context, std::uint32_t states, std::uint32_t show,
                   Each each) {
    kernel::dump(context.netlink, SOCK_DIAG_BY_FAMILY, kernel::unix_dump_payload(states, show),
                 context.deadline, [&](std::span<const std::byte> payload) {
                   if (const auto socket = kernel::parse_unix_socket(payload)) {
                     each(*socket);
                   }
                 });
  }

  /// Names and peers double the cost of a dump, and the kernel cannot select datagram sockets, so
  /// only the states are dumped whose sockets have datagrams. A receiver is in CLOSE if a sender
  /// disconnected from it, even if others are connected (unix_dgram_connect).
  static std::vector<UnixReceiver> unread_datagrams(const ScrapeContext& context,
                                                    std::uint32_t states_with_datagrams) {
    UnixDatagrams datagrams;
    dump(context, states_with_datagrams | kernel::mask(TcpState::close),
         UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN | UDIAG_SHOW_PEER,
         [&](const UnixSocket& socket) { datagrams.add(socket); });
    return datagrams.take();
  }

  void add_receivers(Collection& collection, const std::vector<UnixReceiver>& ranked) const {
    FamilyTable<UnixReceiver> families(receiver_families);
    UnixReceiver other{.path = other_path};
    for (std::size_t i = 0; i < ranked.size(); ++i) {
      // A socket may have the name of the aggregate.
      if (i < max_ && ranked[i].path != other.path) {
        families.add({{"path", ranked[i].path}}, ranked[i]);
      } else {
        other.aggregate(ranked[i]);
      }
    }
    if (!other.is_idle()) {
      families.add({{"path", other.path}}, other);
    }
    for (prometheus::MetricFamily& family : families.take()) {
      collection.families.push_back(std::move(family));
    }
  }

  void add_listeners(Collection& collection, std::map<std::string, UnixListener>&& by_path) const {
    std::vector<UnixListener> listeners;
    listeners.reserve(by_path.size());
    for (auto& [path, listener] : by_path) {
      listener.path = path;
      listeners.push_back(std::move(listener));
    }
    std::ranges::sort(listeners, {}, [](const UnixListener& listener) {
      return std::tuple(listener.fullest.fill() < notable_fill, std::string_view(listener.path));
    });
    const std::size_t shown = std::min<std::size_t>(listeners.size(), max_);
    FamilyTable<UnixListener> families(unix_families);
    auto info = gauge_family("inetdiag_unix_listener_info",
                             "User ID of the owner of the listening UNIX socket, several separated "
                             "by commas (UNIX_DIAG_UID).");
    UnixListener other{.path = other_path, .is_aggregate = true};
    for (std::size_t i = 0; i < listeners.size(); ++i) {
      // A socket may have the name of the aggregate.
      if (i < shown && listeners[i].path != other.path) {
        families.add({{"path", listeners[i].path}}, listeners[i]);
        if (!listeners[i].uids.empty()) {
          add_series(info, {{"path", listeners[i].path}, {"uid", joined_uids(listeners[i].uids)}},
                     1);
        }
      } else {
        other.aggregate(listeners[i]);
      }
    }
    if (other.sockets > 0) {
      families.add({{"path", other.path}}, other);
    }
    for (prometheus::MetricFamily& family : families.take()) {
      collection.families.push_back(std::move(family));
    }
    if (!listeners.empty() && info.metric.empty() && shown > 0) {
      collection.missing.emplace_back("owners of UNIX listeners (UNIX_DIAG_UID needs Linux 5.3)");
    }
    collection.families.push_back(std::move(info));
  }

  std::size_t max_;
};

}  // namespace

std::unique_ptr<Collector> make_unix(const Settings& settings) {
  return std::make_unique<Unix>(settings);
}

}  // namespace inetdiag
