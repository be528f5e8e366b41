#include "exporter/other_namespaces.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <exception>
#include <iterator>
#include <map>
#include <system_error>
#include <thread>
#include <utility>

#include <linux/capability.h>

#include "collectors/cpu_credit.h"
#include "collectors/family.h"
#include "collectors/kernel/cgroup.h"
#include "collectors/kernel/counter_file.h"
#include "collectors/kernel/network_namespaces.h"
#include "collectors/kernel/text.h"
#include "exporter/pod_names.h"

namespace inetdiag {
namespace {

using kernel::CgroupOwner;
using kernel::NamespaceId;
using kernel::NetworkNamespace;
using Clock = CpuCredit::Clock;

/// Passes over the TCP sockets of other namespaces may take so much of one scrape's time, at the
/// price of what they tell being older: each pays for the sockets of the whole host.
constexpr CpuCredit::CpuTime walks_of_a_scrape = std::chrono::milliseconds(50);

CpuCredit::CpuTime thread_cpu() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// What is remembered of a namespace between scrapes.
struct Known {
  std::vector<std::shared_ptr<Collector>> collectors;
  std::shared_ptr<const kernel::TcpWalk> walk;
  Clock::time_point walked{};
  double segments = -1;  ///< that had come and gone when it was walked
  bool is_seen = false;
};

/// Segments that this namespace ever received and sent: where they stand still, no connection can
/// have changed its state but by a timeout.
double segments_of(kernel::SharedFiles& proc) {
  double segments = 0;
  kernel::parse_counter_pairs(
      proc.read("net/snmp").value_or(""), [&](const kernel::Counter& counter) {
        if (counter.group == "Tcp" && (counter.name == "InSegs" || counter.name == "OutSegs" ||
                                       counter.name == "ActiveOpens")) {
          segments += counter.value;
        }
      });
  return segments;
}

bool is_empty(const kernel::TcpWalk& walk) {
  std::uint64_t sockets = 0;
  for (const std::uint64_t count : walk.by_state) {
    sockets += count;
  }
  return sockets == walk.by_state[kernel::slot(kernel::TcpState::listen)];
}

std::string label_of(const NetworkNamespace& netns) {
  return netns.name.empty() ? std::to_string(netns.id.inode) : netns.name;
}

/// The owner by the cgroup of a process that lives there: in any hierarchy that names a container.
CgroupOwner owner_of_process(const kernel::FileTree& proc, pid_t process) {
  std::string text;
  try {
    text = proc.read(std::to_string(process) + "/cgroup").value_or("");
  } catch (const std::system_error&) {
    return {};
  }
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = kernel::next_line(rest);
    kernel::cut(line, ':');
    kernel::cut(line, ':');
    CgroupOwner owner = kernel::owner_of_cgroup(line);
    if (!owner.pod_uid.empty() || !owner.container_id.empty()) {
      return owner;
    }
  }
  return {};
}

/// The owner by the sockets that listen there, for a namespace without a known process.
CgroupOwner owner_of_listeners(const std::vector<prometheus::MetricFamily>& families) {
  CgroupOwner owner;
  for (const auto& family : families) {
    if (family.name != "inetdiag_listener_info") {
      continue;
    }
    for (const auto& series : family.metric) {
      for (const auto& label : series.label) {
        if (label.name == "pod_uid" && owner.pod_uid.empty()) {
          owner.pod_uid = label.value;
        } else if (label.name == "container_id" && owner.container_id.empty()) {
          owner.container_id = label.value;
        }
      }
    }
  }
  return owner;
}

void add_label(std::vector<prometheus::MetricFamily>& families, const std::string& netns) {
  for (auto& family : families) {
    for (auto& series : family.metric) {
      series.label.push_back({"netns", valid_utf8(netns)});
    }
  }
}

bool is_vanished(const std::system_error& error) {
  return error.code() == std::errc::no_such_file_or_directory;
}

class OtherNamespaces final : public Collector {
 public:
  OtherNamespaces(NetnsOptions options, kernel::FileTree proc, std::vector<Elsewhere> collectors)
      : options_(std::move(options)),
        proc_(std::move(proc)),
        proc_of_thread_(proc_.of_this_thread()),
        collectors_(std::move(collectors)),
        credit_(options_.walk_budget, Clock::now()) {}

  Collection collect(const ScrapeContext& context) override {
    Round round{.collection = {},
                .info = gauge_family(
                    "inetdiag_netns_info",
                    "A network namespace beside the exporter's own, with the pod and the container "
                    "that live in it, as far as cgroups and the folders of pod logs tell."),
                .age = gauge_family(
                    "inetdiag_netns_walk_age_seconds",
                    "How long ago the TCP sockets of the namespace were walked over, for its SYN "
                    "queues and inetdiag_tcp_sockets. 0: in this scrape, or nothing moved since.")};
    std::vector<NetworkNamespace> found = discover(context.deadline, round.collection);
    const std::size_t discovered = found.size();
    found.resize(std::min(found.size(), options_.max));
    remember(found);
    const auto pods = pod_names(options_.pod_logs);
    // A thread that entered a namespace is of no use for anything else: it ends with the scrape.
    std::thread([&] { visit_all(found, pods, context, round); }).join();

    auto& families = round.collection.families;
    families.push_back(std::move(round.info));
    families.push_back(std::move(round.age));
    families.push_back(
        single_gauge("inetdiag_netns_discovered",
                     "Network namespaces beside the exporter's own that --netns.discover found and "
                     "--netns.include and --netns.exclude let through.",
                     static_cast<double>(discovered)));
    families.push_back(single_gauge("inetdiag_netns_left_out",
                                    "Those of them that were not asked, for --netns.max.",
                                    static_cast<double>(discovered - found.size())));
    return std::move(round.collection);
  }

 private:
  /// What comes together in one scrape.
  struct Round {
    Collection collection;
    prometheus::MetricFamily info;
    prometheus::MetricFamily age;
    CpuCredit::CpuTime walks{};
  };

  using Pods = std::map<std::string, PodName>;

  /// Pinned ones first, then in order of their inodes: which are left out hardly ever changes.
  std::vector<NetworkNamespace> discover(const kernel::Deadline& deadline, Collection& collection) {
    std::vector<NetworkNamespace> pinned;
    kernel::NamespacesOfProcesses of_processes;
    try {
      if (options_.with_pinned()) {
        pinned = kernel::pinned_network_namespaces(options_.folder);
      }
      if (options_.with_processes()) {
        of_processes = kernel::network_namespaces_of_processes(proc_, deadline);
      }
    } catch (const std::system_error& error) {
      collection.errors.emplace_back(error.what());
    }
    if (of_processes.refused > 0) {
      collection.errors.push_back(std::to_string(of_processes.refused) +
                                  " processes may not be asked for their network namespace; that "
                                  "takes CAP_SYS_PTRACE");
    }
    auto found = kernel::merged(std::move(pinned), of_processes.found);
    const NamespaceId own = kernel::own_network_namespace();
    std::erase_if(found, [&](const NetworkNamespace& netns) {
      const std::string label = label_of(netns);
      return netns.id == own ||
             (options_.include && !std::regex_search(label, *options_.include)) ||
             (options_.exclude && std::regex_search(label, *options_.exclude));
    });
    std::ranges::stable_partition(found, [](const auto& netns) { return !netns.name.empty(); });
    return found;
  }

  void remember(const std::vector<NetworkNamespace>& found) {
    for (auto& [id, known] : known_) {
      known.is_seen = false;
    }
    for (const NetworkNamespace& netns : found) {
      known_[netns.id].is_seen = true;
    }
    std::erase_if(known_, [](const auto& known) { return !known.second.is_seen; });
  }

  void visit_all(std::vector<NetworkNamespace> found, const Pods& pods,
                 const ScrapeContext& context, Round& round) {
    // Whose walk is the oldest comes first.
    std::ranges::stable_sort(found, {},
                             [&](const auto& netns) { return known_.at(netns.id).walked; });
    std::size_t visited = 0;
    try {
      for (const NetworkNamespace& netns : found) {
        context.deadline.check();
        if (!visit(netns, pods, context, round)) {
          break;
        }
        ++visited;
      }
    } catch (const kernel::DeadlineExceeded&) {
      round.collection.errors.push_back(
          std::to_string(found.size() - visited) + " of " + std::to_string(found.size()) +
          " network namespaces were not reached before the deadline of the scrape");
    } catch (const std::exception& error) {
      round.collection.errors.emplace_back(error.what());
    }
    credit_.spend(round.walks);
  }

  /// Whether it makes sense to go on with others.
  bool visit(const NetworkNamespace& netns, const Pods& pods, const ScrapeContext& context,
             Round& round) {
    try {
      kernel::enter_network_namespace(netns);
    } catch (const std::system_error& error) {
      if (is_vanished(error)) {
        return true;  // its processes ended since it was found: nothing is left to tell of
      }
      const bool is_refused = error.code() == std::errc::operation_not_permitted;
      round.collection.errors.push_back(std::string(error.what()) +
                                        (is_refused ? "; that takes CAP_SYS_ADMIN" : ""));
      return !is_refused;
    }
    ask(netns, pods, context, round);
    return true;
  }

  void ask(const NetworkNamespace& netns, const Pods& pods, const ScrapeContext& context,
           Round& round) {
    Known& known = known_.at(netns.id);
    if (known.collectors.empty()) {
      for (const Elsewhere& each : collectors_) {
        known.collectors.push_back(each.for_all ? each.for_all : each.make_for_one());
      }
    }
    const std::string label = label_of(netns);
    kernel::SharedFiles proc(proc_of_thread_, context.deadline);
    const double segments = segments_of(proc);
    const auto now = Clock::now();
    const bool stands_still = known.walk && is_empty(*known.walk) && segments == known.segments;
    const bool is_due = !stands_still && may_walk(round, now);
    kernel::TcpTable tcp(context.sock_diag, context.deadline,
                         {.is_due = is_due, .last = known.walk});
    const auto cpu_before = thread_cpu();
    std::vector<prometheus::MetricFamily> families;
    for (const auto& collector : known.collectors) {
      collect_from(*collector, {proc, context.sys, tcp, context.sock_diag, context.deadline, true},
                   label, families, round.collection);
    }
    if (const kernel::TcpWalk* walk = tcp.walk_if_made()) {
      known.walk = std::make_shared<const kernel::TcpWalk>(*walk);
      known.walked = now;
      known.segments = segments;
      round.walks += thread_cpu() - cpu_before;
    } else if (stands_still) {
      known.walked = now;
    }
    add_owner(netns, label, pods, families, round.info);
    if (known.walk) {
      add_series(round.age, {{"netns", label}},
                 std::chrono::duration<double>(now - known.walked).count());
    }
    add_label(families, label);
    std::ranges::move(families, std::back_inserter(round.collection.families));
  }

  bool may_walk(const Round& round, Clock::time_point now) {
    return credit_.is_unlimited() || (round.walks < walks_of_a_scrape && credit_.is_positive(now));
  }

  static void collect_from(Collector& collector, const ScrapeContext& context,
                           const std::string& label,
                           std::vector<prometheus::MetricFamily>& families, Collection& all) {
    Collection found;
    try {
      found = collector.collect(context);
    } catch (const kernel::DeadlineExceeded&) {
      throw;
    } catch (const std::exception& error) {
      found.errors.emplace_back(error.what());
    }
    std::ranges::move(found.families, std::back_inserter(families));
    std::ranges::move(found.missing, std::back_inserter(all.missing));
    for (const std::string& error : found.errors) {
      all.errors.push_back("namespace " + label + ": " + error);
    }
  }

  void add_owner(const NetworkNamespace& netns, const std::string& label, const Pods& pods,
                 const std::vector<prometheus::MetricFamily>& families,
                 prometheus::MetricFamily& info) const {
    CgroupOwner owner = netns.process != 0 ? owner_of_process(proc_, netns.process) : CgroupOwner();
    if (owner == CgroupOwner()) {
      owner = owner_of_listeners(families);
    }
    const auto pod = pods.find(owner.pod_uid);
    const PodName name = pod == pods.end() ? PodName() : pod->second;
    add_series(info,
               {{"netns", label},
                {"inode", std::to_string(netns.id.inode)},
                {"pod_namespace", name.pod_namespace},
                {"pod_name", name.name},
                {"pod_uid", owner.pod_uid},
                {"container_id", owner.container_id}},
               1);
  }

  NetnsOptions options_;
  kernel::FileTree proc_;
  kernel::FileTree proc_of_thread_;
  std::vector<Elsewhere> collectors_;
  CpuCredit credit_;
  std::map<NamespaceId, Known> known_;
};

/// Whether the effective set holds a capability (proc(5), CapEff).
bool has_capability(unsigned capability) {
  try {
    const std::string status = kernel::FileTree("/proc").read("self/status").value_or("");
    const std::size_t at = status.find("CapEff:");
    if (at == std::string::npos) {
      return false;
    }
    std::string_view rest = std::string_view(status).substr(at);
    kernel::next_word(rest);
    const auto set = kernel::hex_number(kernel::next_word(rest));
    return set && ((*set >> capability) & 1U) != 0;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace

std::unique_ptr<Collector> make_other_namespaces(NetnsOptions options, kernel::FileTree proc,
                                                 std::vector<Elsewhere> collectors) {
  return std::make_unique<OtherNamespaces>(std::move(options), std::move(proc),
                                           std::move(collectors));
}

std::string missing_privileges(const NetnsOptions& options) {
  std::string missing;
  if (!has_capability(CAP_SYS_ADMIN)) {
    missing = "CAP_SYS_ADMIN, to enter other network namespaces";
  }
  if (options.with_processes() && !has_capability(CAP_SYS_PTRACE)) {
    missing.append(missing.empty() ? "" : "; ")
        .append("CAP_SYS_PTRACE, to find those of other users' processes");
  }
  return missing;
}

}  // namespace inetdiag
