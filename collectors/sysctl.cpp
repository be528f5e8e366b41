#include "collectors/sysctl.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <set>
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
  std::string_view meaning;
  std::array<std::string_view, 3> fields{};  ///< of a vector, what its numbers are
};

// Documentation/admin-guide/sysctl/net.rst, Documentation/networking/ip-sysctl.rst,
// Documentation/networking/nf_conntrack-sysctl.rst, Documentation/admin-guide/sysctl/fs.rst.
constexpr auto known = std::to_array<Known>({
    {"net.core.somaxconn",
     "most connections that any listener's accept queue may hold; it acts on the next listen()"},
    {"net.core.netdev_max_backlog",
     "most packets that may wait on a CPU to enter the network stack"},
    {"net.core.netdev_budget", "most packets that one softirq round takes from the interfaces"},
    {"net.core.rmem_max", "largest receive buffer in bytes that a program may ask for (SO_RCVBUF)"},
    {"net.core.wmem_max", "largest send buffer in bytes that a program may ask for (SO_SNDBUF)"},
    {"net.core.rmem_default", "receive buffer in bytes of a socket that asks for none"},
    {"net.core.wmem_default", "send buffer in bytes of a socket that asks for none"},
    {"net.ipv4.tcp_max_syn_backlog",
     "half-open connections a listener holds at most; acts only where net.ipv4.tcp_syncookies is "
     "0"},
    {"net.ipv4.tcp_max_tw_buckets", "most sockets in TIME_WAIT; beyond it they are closed at once"},
    {"net.ipv4.tcp_syncookies", "0: no SYN cookies; 1: where a SYN queue is full; 2: always"},
    {"net.ipv4.tcp_synack_retries",
     "how often a SYN-ACK is sent again before a half-open connection is given up"},
    {"net.ipv4.tcp_syn_retries", "how often a SYN is sent again before connect() fails"},
    {"net.ipv4.tcp_abort_on_overflow",
     "1: a full accept queue answers with a reset instead of silence"},
    {"net.ipv4.tcp_max_orphans",
     "most connections that no program holds any more; beyond it they are reset"},
    {"net.ipv4.tcp_mem",
     "pages of memory for all TCP sockets: below low all is well, above pressure buffers shrink, "
     "at high memory is refused",
     {"low", "pressure", "high"}},
    {"net.ipv4.udp_mem",
     "pages of memory for all UDP sockets: at high datagrams are dropped",
     {"low", "pressure", "high"}},
    {"net.ipv4.tcp_rmem", "receive buffer of a TCP socket in bytes", {"min", "default", "max"}},
    {"net.ipv4.tcp_wmem", "send buffer of a TCP socket in bytes", {"min", "default", "max"}},
    {"net.ipv4.tcp_fin_timeout", "seconds that a connection without a program stays in FIN_WAIT_2"},
    {"net.ipv4.tcp_tw_reuse",
     "whether an outgoing connection may take over a socket in TIME_WAIT; 2: on loopback only"},
    {"net.ipv4.ip_local_port_range",
     "first and last local port of outgoing connections",
     {"low", "high"}},
    {"net.ipv4.tcp_fastopen", "bits that turn TCP Fast Open on: 1 for clients, 2 for servers"},
    {"net.ipv4.tcp_keepalive_time", "seconds without traffic before the first keepalive probe"},
    {"net.ipv4.tcp_keepalive_intvl", "seconds between keepalive probes"},
    {"net.ipv4.tcp_keepalive_probes",
     "keepalive probes without an answer before a connection is dropped"},
    {"net.ipv4.tcp_slow_start_after_idle", "1: a connection that was idle begins slowly again"},
    {"net.netfilter.nf_conntrack_max",
     "most connections that conntrack follows; beyond it packets of new ones are dropped"},
    {"net.netfilter.nf_conntrack_buckets", "size of the hash table of conntrack"},
    {"fs.file-max", "most open files of the whole host"},
    {"fs.nr_open", "most open files that a process may be allowed"},
});

/// Others are of the whole host; what of these is, has no file elsewhere.
bool is_of_namespace(std::string_view name) {
  return name.starts_with("net.") && !name.starts_with("net.netfilter.");
}

std::string metric_name(std::string_view sysctl) {
  std::string name = "inetdiag_sysctl_";
  std::ranges::transform(sysctl, std::back_inserter(name), [](char c) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return is_word ? c : '_';
  });
  return name;
}

/// What may stand in a HELP line without an escape.
bool is_plain(char c) { return c > ' ' && c <= '~' && c != '\\'; }

struct Sysctl {
  std::string name;
  std::string path;
  std::string metric;
  std::string help;
  std::array<std::string_view, 3> fields{};
  bool is_included = false;  ///< by the setting: a host is expected to have it
};

Sysctl described(std::string_view name, std::string_view meaning,
                 std::array<std::string_view, 3> fields) {
  Sysctl sysctl{.name = std::string(name),
                .path = kernel::sysctl_path(name),
                .metric = metric_name(name),
                .help = "sysctl ",
                .fields = fields};
  sysctl.help.append(name);
  if (!meaning.empty()) {
    sysctl.help.append(": ").append(meaning);
  }
  sysctl.help.append(".");
  return sysctl;
}

/// All words of a value as numbers, or nothing where one is none.
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
      add(described(entry.name, entry.meaning, entry.fields));
    }
    for (const std::string& name : settings.list("include")) {
      Sysctl sysctl = described(name, "", {});
      if (sysctl.path.empty() || !std::ranges::all_of(name, is_plain)) {
        throw SettingError("include", "'" + name +
                                          "' is not the name of a sysctl, such as "
                                          "net.ipv4.tcp_congestion_control");
      }
      sysctl.is_included = true;
      add(std::move(sysctl));
    }
  }

  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    auto info = gauge_family("inetdiag_sysctl_info",
                             "Sysctls whose value is no number, by name and value.");
    for (const Sysctl& sysctl : sysctls_) {
      if (context.is_other_namespace && !is_of_namespace(sysctl.name)) {
        continue;
      }
      try {
        if (const auto text = context.proc.read(sysctl.path)) {
          emit(sysctl, kernel::trimmed(*text), collection.families, info);
        } else if (sysctl.is_included && !context.is_other_namespace) {
          collection.unmatched.emplace_back(
              "include", "there is no sysctl '" + sysctl.name + "'; `sysctl -aN` tells all names");
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
    if (metrics_.insert(sysctl.metric).second) {
      sysctls_.push_back(std::move(sysctl));
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
  std::set<std::string> metrics_;
};

}  // namespace

std::unique_ptr<Collector> make_sysctl(const Settings& settings) {
  return std::make_unique<Sysctls>(settings);
}

}  // namespace inetdiag
