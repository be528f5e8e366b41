#include "collectors/sysctl.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/proc/sysctl.h"
#include "collectors/support/family.h"

namespace inetdiag {
namespace {

struct Known {
  std::string_view name;
  std::string_view description;
  std::array<std::string_view, 3> fields{};  ///< names of the numbers of a vector
};

// Documentation/admin-guide/sysctl/net.rst, Documentation/networking/ip-sysctl.rst,
// Documentation/networking/nf_conntrack-sysctl.rst, Documentation/admin-guide/sysctl/fs.rst.
constexpr auto known = std::to_array<Known>({
    {"net.core.somaxconn", "Maximum backlog of a listener, applied by the next listen()"},
    {"net.core.netdev_max_backlog", "Maximum number of packets in the backlog of a CPU"},
    {"net.core.netdev_budget", "Maximum number of packets that one run of net_rx_action processes"},
    {"net.core.rmem_max", "Maximum receive buffer in bytes that SO_RCVBUF sets"},
    {"net.core.wmem_max", "Maximum send buffer in bytes that SO_SNDBUF sets"},
    {"net.core.rmem_default", "Default receive buffer of a socket in bytes"},
    {"net.core.wmem_default", "Default send buffer of a socket in bytes"},
    {"net.ipv4.tcp_max_syn_backlog",
     "Maximum number of half-open connections of a listener if net.ipv4.tcp_syncookies is 0"},
    {"net.ipv4.tcp_max_tw_buckets",
     "Maximum number of TIME_WAIT sockets; beyond it they are destroyed at once"},
    {"net.ipv4.tcp_syncookies",
     "Whether SYN cookies are sent, 0 for never, 1 if a SYN queue is full, 2 for always"},
    {"net.ipv4.tcp_synack_retries",
     "Number of times a SYN-ACK is retransmitted before a half-open connection is dropped"},
    {"net.ipv4.tcp_syn_retries", "Number of times a SYN is retransmitted before connect() fails"},
    {"net.ipv4.tcp_abort_on_overflow",
     "Whether a connection is reset if the accept queue is full, instead of dropping its ACK"},
    {"net.ipv4.tcp_max_orphans",
     "Maximum number of TCP connections without a process; beyond it they are reset"},
    {"net.ipv4.tcp_mem",
     "Thresholds of the memory of all TCP sockets in pages: no limits below low, smaller buffers "
     "above pressure, at most high",
     {"low", "pressure", "high"}},
    {"net.ipv4.udp_mem",
     "Thresholds of the memory of all UDP sockets in pages; above high, datagrams are dropped",
     {"low", "pressure", "high"}},
    {"net.ipv4.tcp_rmem", "Receive buffer of a TCP socket in bytes", {"min", "default", "max"}},
    {"net.ipv4.tcp_wmem", "Send buffer of a TCP socket in bytes", {"min", "default", "max"}},
    {"net.ipv4.tcp_fin_timeout", "Seconds that a connection without a process stays in FIN_WAIT_2"},
    {"net.ipv4.tcp_tw_reuse",
     "Whether an outgoing connection can reuse a TIME_WAIT socket, 2 for loopback only"},
    {"net.ipv4.ip_local_port_range", "First and last ephemeral port", {"low", "high"}},
    {"net.ipv4.tcp_fastopen", "TCP Fast Open as a bit mask, 1 for clients and 2 for servers"},
    {"net.ipv4.tcp_keepalive_time", "Seconds without traffic before the first keepalive probe"},
    {"net.ipv4.tcp_keepalive_intvl", "Seconds between keepalive probes"},
    {"net.ipv4.tcp_keepalive_probes",
     "Number of unanswered keepalive probes before a connection is dropped"},
    {"net.ipv4.tcp_slow_start_after_idle", "Whether an idle connection returns to slow start"},
    {"net.unix.max_dgram_qlen",
     "Maximum length of the queue of a UNIX datagram socket, applied when a socket is created"},
    {"net.netfilter.nf_conntrack_max",
     "Maximum number of tracked connections; beyond it packets of new ones are dropped"},
    {"net.netfilter.nf_conntrack_buckets", "Size of the hash table of connection tracking"},
    {"fs.file-max", "Maximum number of open files of the host"},
    {"fs.nr_open", "Maximum RLIMIT_NOFILE, the number of open files of a process"},
});

/// Those that other network namespaces have series of: the limits that alerts and the diagnosis
/// use. With hundreds of pods, all sysctls would be a fifth of the page and of its cost.
constexpr auto of_each_namespace = std::to_array<std::string_view>({
    "net.core.somaxconn",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_abort_on_overflow",
    "net.unix.max_dgram_qlen",
});

/// Host-wide sysctls of net.* do not exist in other namespaces.
bool can_be_per_namespace(const std::string& path) {
  return path.starts_with("sys/net/") && !path.starts_with("sys/net/netfilter/");
}

std::string metric_name(std::string_view sysctl) {
  std::string name = "inetdiag_sysctl_";
  std::ranges::transform(sysctl, std::back_inserter(name), [](char c) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return is_word ? c : '_';
  });
  return name;
}

/// Whether a HELP line can contain the character without escaping.
bool is_plain(char c) { return c > ' ' && c <= '~' && c != '\\'; }

struct Sysctl {
  std::string name;
  std::string path;
  std::string metric;
  std::string help;
  std::array<std::string_view, 3> fields{};
  bool is_of_each_namespace = false;
  bool is_included = false;  ///< by the setting `include`; its absence is reported
};

Sysctl described(std::string_view name, std::string_view description,
                 std::array<std::string_view, 3> fields) {
  Sysctl sysctl{.name = std::string(name),
                .path = kernel::sysctl_path(name),
                .metric = metric_name(name),
                .help = std::string(description),
                .fields = fields,
                .is_of_each_namespace = std::ranges::count(of_each_namespace, name) > 0};
  if (description.empty()) {
    sysctl.help.append("Sysctl ").append(name).append(".");
  } else {
    sysctl.help.append(" (sysctl ").append(name).append(").");
  }
  return sysctl;
}

/// Returns all words of a value as numbers, or std::nullopt if one is not a number.
std::optional<std::vector<double>> numbers(std::string_view text) {
  std::vector<double> values;
  while (true) {
    const std::string_view word = kernel::next_word(text);
    if (word.empty()) {
      break;
    }
    const auto value = kernel::to_double(word);
    if (!value) {
      return std::nullopt;
    }
    values.push_back(*value);
  }
  return values.empty() ? std::nullopt : std::optional(std::move(values));
}

class Sysctls final : public Collector {
 public:
  explicit Sysctls(const Settings& settings) {
    for (const Known& entry : known) {
      add(described(entry.name, entry.description, entry.fields));
    }
    for (const std::string& name : settings.list("include")) {
      Sysctl sysctl = described(name, "", {});
      if (sysctl.path.empty() || !std::ranges::all_of(name, is_plain)) {
        throw SettingError("include", "'" + name +
                                          "' is not the name of a sysctl; write for example "
                                          "net.ipv4.tcp_congestion_control");
      }
      sysctl.is_included = true;
      sysctl.is_of_each_namespace = can_be_per_namespace(sysctl.path);
      add(std::move(sysctl));
    }
  }

  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    auto info = gauge_family("inetdiag_sysctl_info",
                             "Sysctls with a value that is not a number, by name and value.");
    for (const Sysctl& sysctl : sysctls_) {
      if (context.is_other_namespace && !sysctl.is_of_each_namespace) {
        continue;
      }
      try {
        if (const auto text = context.proc.read(sysctl.path)) {
          emit(sysctl, kernel::trimmed(*text), collection.families, info);
        } else if (sysctl.is_included && !context.is_other_namespace) {
          collection.unmatched.emplace_back(
              "include", "no sysctl '" + sysctl.name + "'; `sysctl -aN` lists all names");
        }
      } catch (const std::exception& error) {
        collection.errors.emplace_back(error.what());
      }
    }
    collection.families.push_back(std::move(info));
    return collection;
  }

 private:
  void add(Sysctl sysctl) {
    const auto present = std::ranges::find(sysctls_, sysctl.metric, &Sysctl::metric);
    if (present == sysctls_.end()) {
      sysctls_.push_back(std::move(sysctl));
    } else {
      present->is_of_each_namespace |= sysctl.is_of_each_namespace;
    }
  }

  static void emit(const Sysctl& sysctl, std::string_view text,
                   std::vector<prometheus::MetricFamily>& families,
                   prometheus::MetricFamily& info) {
    const auto values = numbers(text);
    if (!values) {
      std::string value;
      std::string_view rest = text;
      for (auto word = kernel::next_word(rest); !word.empty(); word = kernel::next_word(rest)) {
        value.append(value.empty() ? "" : " ").append(word);
      }
      add_series(info, {{"name", sysctl.name}, {"value", value}}, 1);
      return;
    }
    auto& family = families.emplace_back(gauge_family(sysctl.metric, sysctl.help));
    if (values->size() == 1 && sysctl.fields.front().empty()) {
      add_series(family, {}, values->front());
      return;
    }
    for (std::size_t i = 0; i < values->size(); ++i) {
      const bool has_name = i < sysctl.fields.size() && !sysctl.fields[i].empty();
      add_series(family, {{"field", has_name ? std::string(sysctl.fields[i]) : std::to_string(i)}},
                 (*values)[i]);
    }
  }

  std::vector<Sysctl> sysctls_;
};

}  // namespace

std::unique_ptr<Collector> make_sysctl(const Settings& settings) {
  return std::make_unique<Sysctls>(settings);
}

}  // namespace inetdiag
