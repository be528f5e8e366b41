#include "collectors/netns.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <exception>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include <linux/capability.h>

#include "collectors/kernel/netns/cgroup.h"
#include "collectors/kernel/netns/network_namespaces.h"
#include "collectors/kernel/netns/pod_names.h"
#include "collectors/kernel/proc/capabilities.h"
#include "collectors/kernel/proc/tcp_activity.h"
#include "collectors/support/cpu_credit.h"
#include "collectors/support/family.h"
#include "collectors/support/family_merger.h"

namespace inetdiag {
namespace {

using kernel::CgroupOwner;
using kernel::NamespaceId;
using kernel::NetworkNamespace;
using Clock = CpuCredit::Clock;

/// Passes over the TCP sockets of other namespaces may take so much of one scrape's time, at the
/// price of what they tell being older: each pays for the sockets of the whole host.
constexpr CpuCredit::CpuTime max_dump_cpu_per_scrape = std::chrono::milliseconds(50);

/// Of the time that is left. The rest is for the page: it has what was reached by then, and nothing
/// of what comes at the deadline of the scrape.
constexpr double visiting_share = 0.8;

/// A namespace that so many scrapes in a row did not find is gone. One scrape can fail to list
/// them, and counters of sockets that closed must not begin anew for that.
constexpr unsigned max_missed_scrapes = 3;

CpuCredit::CpuTime thread_cpu() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// What is remembered of a namespace between scrapes.
struct Known {
  std::string label;
  std::vector<std::shared_ptr<Collector>> collectors;
  std::shared_ptr<const kernel::PartialDump> partial;
  Clock::time_point dumped_at{};
  kernel::TcpActivity activity_at_dump{};
  unsigned missed = 0;     ///< scrapes that did not find it, since the last one that did
  bool is_behind = false;  ///< its turn did not come in the last scrape
};

bool is_empty(const kernel::PartialDump& partial) {
  std::uint64_t sockets = 0;
  for (const std::uint64_t count : partial.by_state) {
    sockets += count;
  }
  return sockets == partial.by_state[kernel::slot(kernel::TcpState::listen)];
}

struct Found : NetworkNamespace {
  std::string label;  ///< its own alone
};

/// Those of `namespaces`, each with its name, else its inode; the inode is put behind what is
/// another's label already. Names are any bytes: different ones can make the same label.
std::vector<Found> labelled(const std::vector<NetworkNamespace>& namespaces) {
  std::set<std::string> taken;
  std::vector<Found> found;
  found.reserve(namespaces.size());
  for (const NetworkNamespace& netns : namespaces) {
    const std::string inode = std::to_string(netns.id.inode);
    std::string label = netns.name.empty() ? inode : valid_utf8(netns.name);
    while (!taken.insert(label).second) {
      label.append("-").append(inode);
    }
    found.push_back({netns, std::move(label)});
  }
  return found;
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

std::string in_namespace(std::string_view label, std::string_view error) {
  return std::string("namespace ").append(label).append(": ").append(error);
}

/// Whether this process holds a capability; false where that cannot be read.
bool holds(unsigned capability) {
  try {
    const auto status = kernel::FileTree("/proc").read("self/status");
    return kernel::has_capability(status.value_or(""), capability);
  } catch (const std::system_error&) {
    return false;
  }
}

bool is_absent(const std::system_error& error) {
  return error.code() == std::errc::no_such_file_or_directory;
}

/// With what it may come from where a name in the folder of pinned ones is refused.
std::string explained(const std::system_error& error) {
  const bool is_forbidden = error.code() == std::errc::permission_denied ||
                            error.code() == std::errc::operation_not_permitted;
  return std::string(error.what())
      .append(is_forbidden ? "; if it is a symbolic link out of the folder, the sandbox forbids to "
                             "follow it: pin by a bind mount, or use --no-sandbox"
                           : "");
}

class NetnsCollector final : public Collector {
 public:
  NetnsCollector(NetnsOptions options, kernel::FileTree proc,
                 std::vector<NamespacedCollector> collectors)
      : options_(std::move(options)),
        proc_(std::move(proc)),
        proc_of_thread_(proc_.for_this_thread()),
        collectors_(std::move(collectors)),
        credit_(options_.dump_budget, Clock::now()) {}

  Collection collect(const ScrapeContext& context) override {
    Round round{
        .collection = {},
        .families = {},
        .info = gauge_family(
            "inetdiag_netns_info",
            "A network namespace beside the exporter's own, with the pod and the container "
            "that live in it, as far as cgroups and the folders of pod logs tell."),
        .age = gauge_family(
            "inetdiag_netns_tcp_dump_age_seconds",
            "How long ago the TCP sockets of the namespace were dumped_at over, for its SYN "
            "queues and inetdiag_tcp_sockets. 0: in this scrape, or nothing moved since.")};
    const kernel::Deadline deadline = context.deadline.share(visiting_share);
    std::vector<Found> found = discover(deadline, round);
    const std::size_t discovered = found.size();
    remember(found);
    found.resize(std::min<std::size_t>(found.size(), options_.max));
    const Pods pods = find_pods(round.collection);
    const ScrapeContext until_then{context.proc,      context.cgroups, context.tcp,
                                   context.sock_diag, deadline,        true};
    std::exception_ptr failure;
    // A thread that entered a namespace is of no use for anything else: it ends with the scrape.
    std::thread([&] {
      try {
        visit_all(found, pods, until_then, round);
      } catch (...) {
        failure = std::current_exception();
      }
    }).join();
    if (failure) {
      std::rethrow_exception(failure);
    }

    auto& families = round.collection.families = round.families.take();
    families.push_back(std::move(round.info));
    families.push_back(std::move(round.age));
    families.push_back(
        single_gauge("inetdiag_netns_discovered",
                     "Network namespaces beside the exporter's own that --netns.discover found and "
                     "--netns.include and --netns.exclude let through.",
                     static_cast<double>(discovered)));
    families.push_back(single_gauge("inetdiag_netns_skipped",
                                    "Those of them that were not asked, for --netns.max or because "
                                    "the deadline of the scrape came first.",
                                    static_cast<double>(discovered - round.reached)));
    return std::move(round.collection);
  }

 private:
  /// What comes together in one scrape.
  struct Round {
    Collection collection;
    FamilyMerger families;
    prometheus::MetricFamily info;
    prometheus::MetricFamily age;
    CpuCredit::CpuTime dump_cpu{};
    std::size_t reached = 0;  ///< namespaces whose turn came

    /// What all namespaces fail with is told for some of them.
    void fail(std::string error) {
      auto& errors = collection.errors;
      if (errors.size() < max_errors) {
        errors.push_back(std::move(error));
      } else if (errors.size() == max_errors) {
        errors.emplace_back("there is more");
      }
    }

   private:
    static constexpr std::size_t max_errors = 10;
  };

  using Pods = std::map<std::string, PodName>;

  /// Pinned ones first, by name, then by inode: which are left out hardly ever changes.
  std::vector<Found> discover(const kernel::Deadline& deadline, Round& round) {
    auto all = kernel::merge_namespaces(pinned(round), of_processes(deadline, round.collection));
    const NamespaceId own = kernel::own_network_namespace();
    std::erase_if(all, [&](const NetworkNamespace& netns) { return netns.id == own; });
    std::ranges::sort(all, {}, [](const NetworkNamespace& netns) {
      return std::tuple(netns.name.empty(), std::string_view(netns.name), netns.id);
    });
    auto found = labelled(all);
    std::erase_if(found, [&](const Found& netns) {
      return (options_.include && !std::regex_search(netns.label, *options_.include)) ||
             (options_.exclude && std::regex_search(netns.label, *options_.exclude));
    });
    return found;
  }

  std::vector<NetworkNamespace> pinned(Round& round) const {
    if (!options_.with_pinned()) {
      return {};
    }
    try {
      auto pinned = kernel::pinned_network_namespaces(options_.folder);
      for (const std::system_error& refusal : pinned.errors) {
        round.fail(explained(refusal));
      }
      return std::move(pinned.found);
    } catch (const std::system_error& error) {
      // What pins the first namespace makes the folder.
      auto& collection = round.collection;
      (is_absent(error) ? collection.missing : collection.errors).emplace_back(error.what());
      return {};
    }
  }

  std::vector<NetworkNamespace> of_processes(const kernel::Deadline& deadline,
                                             Collection& collection) const {
    if (!options_.with_processes()) {
      return {};
    }
    try {
      auto namespaces = kernel::process_network_namespaces(proc_, deadline);
      if (namespaces.has_denied && !holds(CAP_SYS_PTRACE)) {
        collection.errors.emplace_back(
            "some processes may not be asked for their network namespace; that takes "
            "CAP_SYS_PTRACE");
      } else if (namespaces.has_denied) {
        collection.missing.emplace_back(
            "network namespaces of some processes, which may not be asked though CAP_SYS_PTRACE is "
            "held: a security module, or a user namespace further out");
      }
      return std::move(namespaces.found);
    } catch (const std::system_error& error) {
      collection.errors.emplace_back(error.what());
      return {};
    }
  }

  Pods find_pods(Collection& collection) const {
    try {
      return read_pod_names(options_.pod_logs);
    } catch (const std::system_error& error) {
      collection.missing.push_back(std::string("names of pods: ") + error.what());
      return {};
    }
  }

  void remember(const std::vector<Found>& found) {
    for (auto& [id, known] : known_) {
      ++known.missed;
    }
    for (const Found& netns : found) {
      Known& known = known_[netns.id];
      if (known.label != netns.label) {
        known = Known();  // the inode may be another's by now
        known.label = netns.label;
      }
      known.missed = 0;
    }
    std::erase_if(known_,
                  [](const auto& known) { return known.second.missed > max_missed_scrapes; });
  }

  void visit_all(std::vector<Found> found, const Pods& pods, const ScrapeContext& context,
                 Round& round) {
    // Who was not reached last time comes first, then whose walk is the oldest.
    std::ranges::stable_sort(found, {}, [&](const auto& netns) {
      const Known& known = known_.at(netns.id);
      return std::pair(!known.is_behind, known.dumped_at);
    });
    for (const Found& netns : found) {
      known_.at(netns.id).is_behind = true;
    }
    try {
      for (const Found& netns : found) {
        context.deadline.check();
        if (!visit(netns, pods, context, round)) {
          break;
        }
        ++round.reached;
        known_.at(netns.id).is_behind = false;
      }
    } catch (const kernel::DeadlineExceeded&) {
      round.fail("some network namespaces were not reached before the deadline of the scrape");
    } catch (const std::exception& error) {
      round.fail(error.what());
    }
    credit_.spend(round.dump_cpu);
  }

  /// Whether it makes sense to go on with others.
  bool visit(const Found& netns, const Pods& pods, const ScrapeContext& context, Round& round) {
    try {
      kernel::enter_network_namespace(netns);
    } catch (const std::system_error& error) {
      if (is_absent(error)) {
        return true;  // its processes ended since it was found: nothing is left to tell of
      }
      const bool lacks_capability =
          error.code() == std::errc::operation_not_permitted && !holds(CAP_SYS_ADMIN);
      round.fail(lacks_capability     ? std::string(error.what()) + "; that takes CAP_SYS_ADMIN"
                 : netns.name.empty() ? error.what()
                                      : explained(error));
      return !lacks_capability;
    }
    try {
      ask(netns, pods, context, round);
    } catch (const std::system_error& error) {
      round.fail(in_namespace(netns.label, error.what()));
    }
    return true;
  }

  void ask(const Found& netns, const Pods& pods, const ScrapeContext& context, Round& round) {
    Known& known = known_.at(netns.id);
    if (known.collectors.empty()) {
      for (const NamespacedCollector& each : collectors_) {
        known.collectors.push_back(each.for_all ? each.for_all : each.make_for_one());
      }
    }
    const std::string& label = netns.label;
    // The name of a folder such as /proc/sys/net/ipv4 is compared with that of each namespace that
    // was asked for its own: all stand in one chain (fs/proc/proc_sysctl.c, proc_sys_compare), and
    // with hundreds of them to look it up for each sysctl costs more than all else.
    kernel::CachedFiles proc(proc_of_thread_, context.deadline, true);
    const kernel::TcpActivity activity = kernel::tcp_activity(proc);
    const auto now = Clock::now();
    if (activity.has_no_connections()) {
      known.partial = std::make_shared<const kernel::PartialDump>();
    }
    const bool stands_still =
        known.partial && is_empty(*known.partial) &&
        (activity.has_no_connections() || activity.is_unchanged_since(known.activity_at_dump));
    const bool is_due = !stands_still && may_dump(round, now);
    kernel::TcpTable tcp(context.sock_diag, context.deadline,
                         {.is_due = is_due, .last = known.partial});
    const auto cpu_before = thread_cpu();
    std::vector<prometheus::MetricFamily> families;
    const auto charge = [&] {
      if (is_due) {
        round.dump_cpu += thread_cpu() - cpu_before;  // also of one that was given up
      }
    };
    try {
      for (const auto& collector : known.collectors) {
        collect_from(*collector,
                     {proc, context.cgroups, tcp, context.sock_diag, context.deadline, true}, label,
                     families, round);
      }
    } catch (...) {
      charge();
      throw;
    }
    charge();
    if (const kernel::PartialDump* partial = tcp.partial_dump_if_taken()) {
      known.partial = std::make_shared<const kernel::PartialDump>(*partial);
      known.dumped_at = now;
      known.activity_at_dump = activity;
    } else if (stands_still) {
      known.dumped_at = now;
      known.activity_at_dump = activity;
    }
    add_owner(netns, label, pods, families, round.info);
    if (known.partial) {
      add_series(round.age, {{"netns", label}},
                 std::chrono::duration<double>(now - known.dumped_at).count());
    }
    round.families.add(std::move(families), "netns", label);
  }

  bool may_dump(const Round& round, Clock::time_point now) {
    return credit_.is_unlimited() ||
           (round.dump_cpu < max_dump_cpu_per_scrape && credit_.is_positive(now));
  }

  static void collect_from(Collector& collector, const ScrapeContext& context,
                           const std::string& label,
                           std::vector<prometheus::MetricFamily>& families, Round& round) {
    Collection found;
    try {
      found = collector.collect(context);
    } catch (const std::exception& error) {
      context.deadline.check();  // a partial is given up earlier than all else
      found.errors.emplace_back(error.what());
    }
    std::ranges::move(found.families, std::back_inserter(families));
    std::ranges::move(found.missing, std::back_inserter(round.collection.missing));
    for (const std::string& error : found.errors) {
      round.fail(in_namespace(label, error));
    }
  }

  CgroupOwner owner_of_a_process(const NetworkNamespace& netns) const {
    try {
      return netns.process == 0
                 ? CgroupOwner()
                 : kernel::owner_of_process(
                       proc_.read(std::to_string(netns.process) + "/cgroup").value_or(""));
    } catch (const std::system_error&) {
      return {};
    }
  }

  void add_owner(const NetworkNamespace& netns, const std::string& label, const Pods& pods,
                 const std::vector<prometheus::MetricFamily>& families,
                 prometheus::MetricFamily& info) const {
    CgroupOwner owner = owner_of_a_process(netns);
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
  std::vector<NamespacedCollector> collectors_;
  CpuCredit credit_;
  std::map<NamespaceId, Known> known_;
};

}  // namespace

std::unique_ptr<Collector> make_netns(NetnsOptions options, kernel::FileTree proc,
                                      std::vector<NamespacedCollector> collectors) {
  return std::make_unique<NetnsCollector>(std::move(options), std::move(proc),
                                          std::move(collectors));
}

std::string missing_privileges(const NetnsOptions& options) {
  std::string missing;
  if (options.discovery == Discovery::off) {
    return missing;
  }
  if (!holds(CAP_SYS_ADMIN)) {
    missing = "CAP_SYS_ADMIN, to enter other network namespaces";
  }
  if (options.with_processes() && !holds(CAP_SYS_PTRACE)) {
    missing.append(missing.empty() ? "" : "; ")
        .append("CAP_SYS_PTRACE, to find those of other users' processes");
  }
  return missing;
}

}  // namespace inetdiag
