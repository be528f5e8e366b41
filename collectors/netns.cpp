#include "collectors/netns.h"

#include <algorithm>
#include <chrono>
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

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/netns/cgroup.h"
#include "collectors/kernel/netns/network_namespaces.h"
#include "collectors/kernel/netns/pod_names.h"
#include "collectors/kernel/proc/capabilities.h"
#include "collectors/kernel/proc/tcp_activity.h"
#include "collectors/support/cpu_credit.h"
#include "collectors/support/family.h"
#include "collectors/support/family_merger.h"
#include "collectors/support/owner_labels.h"
#include "collectors/support/thread_cpu.h"

namespace inetdiag {
namespace {

using kernel::CgroupOwner;
using kernel::NamespaceId;
using kernel::NetworkNamespace;
using Clock = CpuCredit::Clock;

/// A dump of the TCP sockets of one namespace walks those of all namespaces. Beyond this CPU time,
/// the remaining namespaces report an older dump.
constexpr CpuCredit::CpuTime max_dump_cpu_per_scrape = std::chrono::milliseconds(50);

/// Share of the remaining time that is used for collecting. A result at the scrape deadline would
/// be lost.
constexpr double collecting_share = 0.8;

/// Sysctl files of a namespace that stay open.
constexpr std::size_t sysctls_per_namespace = 16;

/// The state of a namespace is kept for this many scrapes that do not discover it: a failed
/// discovery must not reset drop counters.
constexpr unsigned max_missed_scrapes = 3;

/// The state of a namespace between scrapes.
struct NamespaceState {
  std::string label;
  CreatedTime created{};  ///< a time at which it did not exist
  std::vector<std::shared_ptr<Collector>> collectors;
  std::unique_ptr<kernel::OpenSysctls> sysctls;
  std::shared_ptr<const kernel::PartialDump> partial;
  Clock::time_point dumped_at{};
  kernel::TcpActivity activity_at_dump{};
  unsigned missed = 0;       ///< consecutive scrapes that did not discover it
  bool was_skipped = false;  ///< in the last scrape
};

bool has_only_listeners(const kernel::PartialDump& partial) {
  std::uint64_t sockets = 0;
  for (const std::uint64_t count : partial.by_state) {
    sockets += count;
  }
  return sockets == partial.by_state[kernel::slot(kernel::TcpState::listen)];
}

struct LabeledNamespace : NetworkNamespace {
  std::string label;  ///< unique
};

/// Labels each namespace with its name, or its inode if it has none. If a label is already in use,
/// appends the inode: names are arbitrary bytes, and two names can become the same valid UTF-8.
std::vector<LabeledNamespace> labeled(const std::vector<NetworkNamespace>& namespaces) {
  std::set<std::string> taken;
  std::vector<LabeledNamespace> found;
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

/// The pods and containers that the TCP listeners and UDP sockets of a namespace belong to.
struct SocketOwners {
  std::set<std::string> pod_uids;
  std::set<std::string> container_ids;
};

void insert_values(std::set<std::string>& values, std::string_view joined) {
  while (!joined.empty() && joined != and_more) {
    values.emplace(kernel::cut(joined, ','));
  }
}

SocketOwners owners_of_sockets(const std::vector<prometheus::MetricFamily>& families) {
  SocketOwners owners;
  for (const auto& family : families) {
    if (family.name != "inetdiag_listener_info" && family.name != "inetdiag_udp_info") {
      continue;
    }
    for (const auto& series : family.metric) {
      for (const auto& label : series.label) {
        if (label.name == "pod_uid") {
          insert_values(owners.pod_uids, label.value);
        } else if (label.name == "container_id") {
          insert_values(owners.container_ids, label.value);
        }
      }
    }
  }
  return owners;
}

std::string in_namespace(std::string_view label, std::string_view error) {
  return std::string("namespace ").append(label).append(": ").append(error);
}

/// Returns false if the status of this process cannot be read.
bool has_capability(unsigned capability) {
  try {
    const auto status = kernel::FileTree("/proc").read("self/status");
    return kernel::has_capability(status.value_or(""), capability);
  } catch (const std::system_error&) {
    return false;
  }
}

bool is_not_found(const std::system_error& error) {
  return error.code() == std::errc::no_such_file_or_directory;
}

/// Describes an error of a file in --path.netns, with its probable cause.
std::string explained(const std::system_error& error) {
  const bool is_denied = error.code() == std::errc::permission_denied ||
                         error.code() == std::errc::operation_not_permitted;
  return std::string(error.what())
      .append(is_denied ? " (the sandbox does not follow symbolic links out of --path.netns: "
                          "use a bind mount, or --no-sandbox)"
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
        credit_(options_.cpu_budget, Clock::now()) {}

  Collection collect(const ScrapeContext& context) override {
    Round round{
        .collection = {},
        .families = {},
        .info = gauge_family("inetdiag_netns_info",
                             "Information about another network namespace: the file that pins it, "
                             "its pod, and the containers with TCP listeners or UDP sockets in it "
                             "(cgroups, directories of kubelet's logs)."),
        .age = gauge_family("inetdiag_netns_tcp_dump_age_seconds",
                            "Age of the dump behind inetdiag_tcp_sockets and the SYN queues "
                            "of the namespace, 0 if it was made in this scrape or no "
                            "connection changed since."),
        .directories =
            gauge_family("inetdiag_netns_directory_exists",
                         "Whether a directory of pinned namespaces exists (--path.netns).")};
    const kernel::Deadline deadline = context.deadline.share(collecting_share);
    const auto begin = std::chrono::system_clock::now();
    std::vector<LabeledNamespace> namespaces = discover(deadline, round);
    const std::size_t discovered = namespaces.size();
    update_states(namespaces, round);
    if (round.denied) {
      denied_ = std::move(*round.denied);
      processes_read_at_ = begin;
    }
    namespaces.resize(std::min<std::size_t>(namespaces.size(), options_.max));
    const ScrapeContext netns_context{context.proc,    context.cgroups, context.pods, context.tcp,
                                      context.netlink, deadline,        true};
    std::exception_ptr failure;
    // A thread that has entered another namespace cannot be reused, so it ends with the scrape.
    std::thread([&] {
      try {
        collect_all(namespaces, netns_context, round);
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
    families.push_back(std::move(round.directories));
    families.push_back(
        single_gauge("inetdiag_netns_discovered",
                     "Other network namespaces that --netns.discover found and --netns.include and "
                     "--netns.exclude selected.",
                     static_cast<double>(discovered)));
    families.push_back(single_gauge(
        "inetdiag_netns_skipped",
        "Discovered network namespaces without metrics in this scrape, because of --netns.max or "
        "the scrape deadline.",
        static_cast<double>(discovered - round.collected)));
    return std::move(round.collection);
  }

 private:
  /// The results of one scrape.
  struct Round {
    Collection collection;
    FamilyMerger families;
    prometheus::MetricFamily info;
    prometheus::MetricFamily age;
    prometheus::MetricFamily directories;
    CpuCredit::CpuTime dump_cpu{};
    std::size_t collected = 0;  ///< namespaces
    /// Processes whose namespace is unknown despite CAP_SYS_PTRACE; nothing if the others were not
    /// read.
    std::optional<std::set<pid_t>> denied{};

    /// Limits the number of errors, because all namespaces may fail for the same reason.
    void fail(std::string error) {
      auto& errors = collection.errors;
      if (errors.size() < max_errors) {
        errors.push_back(std::move(error));
      } else if (errors.size() == max_errors) {
        errors.emplace_back("further errors omitted");
      }
    }

   private:
    static constexpr std::size_t max_errors = 10;
  };

  /// Sorts by name, directory and inode: --netns.max skips the same namespaces in each scrape.
  std::vector<LabeledNamespace> discover(const kernel::Deadline& deadline, Round& round) {
    auto all = kernel::merge_namespaces(pinned(round), of_processes(deadline, round));
    const NamespaceId own = kernel::own_network_namespace();
    std::erase_if(all, [&](const NetworkNamespace& netns) { return netns.id == own; });
    std::ranges::stable_sort(all, {}, [](const NetworkNamespace& netns) {
      return std::pair(netns.name.empty(), std::string_view(netns.name));
    });
    auto found = labeled(all);
    std::erase_if(found, [&](const LabeledNamespace& netns) {
      return (options_.include && !options_.include->matches(netns.label)) ||
             (options_.exclude && options_.exclude->matches(netns.label));
    });
    return found;
  }

  /// Returns the namespaces in the order of the directories.
  std::vector<NetworkNamespace> pinned(Round& round) const {
    std::vector<NetworkNamespace> found;
    if (!options_.discovers_pinned()) {
      return found;
    }
    for (const std::string& directory : options_.directories) {
      double exists = 1;
      try {
        auto pinned = kernel::pinned_network_namespaces(directory);
        for (const std::system_error& denied : pinned.errors) {
          round.fail(explained(denied));
        }
        std::ranges::move(pinned.found, std::back_inserter(found));
      } catch (const std::system_error& error) {
        // Not a failure: `ip netns add` creates the directory with the first namespace.
        if (is_not_found(error)) {
          exists = 0;
          round.collection.unmatched.emplace_back("--path.netns", directory + " does not exist");
        } else {
          round.collection.errors.emplace_back(error.what());
        }
      }
      add_series(round.directories, {{"directory", directory}}, exists);
    }
    return found;
  }

  std::vector<NetworkNamespace> of_processes(const kernel::Deadline& deadline, Round& round) const {
    if (!options_.discovers_processes()) {
      return {};
    }
    Collection& collection = round.collection;
    try {
      auto namespaces = kernel::process_network_namespaces(proc_, deadline);
      if (!namespaces.denied.empty() && !has_capability(CAP_SYS_PTRACE)) {
        collection.errors.emplace_back(
            "cannot read the network namespaces of some processes (needs CAP_SYS_PTRACE)");
        return std::move(namespaces.found);
      }
      if (!namespaces.denied.empty()) {
        collection.missing.emplace_back(
            "network namespaces of some processes: denied despite CAP_SYS_PTRACE, by a security "
            "module or because they belong to a parent user namespace");
      }
      round.denied = std::move(namespaces.denied);
      return std::move(namespaces.found);
    } catch (const std::system_error& error) {
      collection.errors.emplace_back(error.what());
      return {};
    }
  }

  void update_states(const std::vector<LabeledNamespace>& found, const Round& round) {
    for (auto& [id, state] : states_) {
      ++state.missed;
    }
    for (const LabeledNamespace& netns : found) {
      const auto [found_state, is_new] = states_.try_emplace(netns.id);
      NamespaceState& state = found_state->second;
      if (is_new) {
        state.created = created_time(netns, round);
      } else if (state.label != netns.label) {
        state = NamespaceState();  // the kernel reuses inodes
      }
      state.label = netns.label;
      state.missed = 0;
    }
    std::erase_if(states_,
                  [](const auto& state) { return state.second.missed > max_missed_scrapes; });
  }

  /// Returns the time of the previous discovery of processes if the namespace appeared since. One
  /// that had no process then is older if its inode is: the kernel keeps that while the namespace
  /// is mounted or open anywhere (fs/nsfs.c).
  CreatedTime created_time(const NetworkNamespace& netns, const Round& round) const {
    const bool was_hidden = !round.denied || !std::ranges::includes(*round.denied, denied_);
    return !was_hidden && processes_read_at_ && kernel::inode_created(netns) > processes_read_at_
               ? processes_read_at_
               : std::nullopt;
  }

  void collect_all(std::vector<LabeledNamespace> namespaces, const ScrapeContext& context,
                   Round& round) {
    // Namespaces that the last scrape skipped come first, then those with the oldest dump.
    std::ranges::stable_sort(namespaces, {}, [&](const auto& netns) {
      const NamespaceState& state = states_.at(netns.id);
      return std::pair(!state.was_skipped, state.dumped_at);
    });
    for (const LabeledNamespace& netns : namespaces) {
      states_.at(netns.id).was_skipped = true;
    }
    try {
      for (const LabeledNamespace& netns : namespaces) {
        context.deadline.check();
        if (!enter_and_collect(netns, context, round)) {
          break;
        }
        ++round.collected;
        states_.at(netns.id).was_skipped = false;
      }
    } catch (const kernel::DeadlineExceeded&) {
      round.fail("some network namespaces were skipped (scrape deadline)");
    } catch (const std::exception& error) {
      round.fail(error.what());
    }
    credit_.spend(round.dump_cpu);
  }

  /// Returns false if the other namespaces cannot be entered either.
  bool enter_and_collect(const LabeledNamespace& netns, const ScrapeContext& context,
                         Round& round) {
    try {
      kernel::enter_network_namespace(netns);
    } catch (const std::system_error& error) {
      // Its processes ended after the discovery, or its name is being removed: `ip netns` unmounts
      // the namespace before it unlinks the file, and setns() refuses a regular file.
      if (is_not_found(error) || error.code() == std::errc::invalid_argument) {
        return true;
      }
      const bool lacks_capability =
          error.code() == std::errc::operation_not_permitted && !has_capability(CAP_SYS_ADMIN);
      round.fail(lacks_capability     ? std::string(error.what()) + " (needs CAP_SYS_ADMIN)"
                 : netns.name.empty() ? error.what()
                                      : explained(error));
      return !lacks_capability;
    }
    try {
      collect_namespace(netns, context, round);
    } catch (const std::system_error& error) {
      round.fail(in_namespace(netns.label, error.what()));
    }
    return true;
  }

  void collect_namespace(const LabeledNamespace& netns, const ScrapeContext& context,
                         Round& round) {
    NamespaceState& state = states_.at(netns.id);
    if (state.collectors.empty()) {
      for (const NamespacedCollector& each : collectors_) {
        state.collectors.push_back(each.shared ? each.shared : each.make());
      }
      state.sysctls =
          std::make_unique<kernel::OpenSysctls>(has_room_for_sysctls() ? sysctls_per_namespace : 0);
    }
    const std::string& label = netns.label;
    kernel::CachedFiles proc(proc_of_thread_, context.deadline, state.sysctls.get());
    const kernel::TcpActivity activity = kernel::tcp_activity(proc);
    const auto now = Clock::now();
    if (activity.has_no_connections()) {
      state.partial = std::make_shared<const kernel::PartialDump>();
    }
    const bool is_unchanged =
        state.partial && has_only_listeners(*state.partial) &&
        (activity.has_no_connections() || activity.is_unchanged_since(state.activity_at_dump));
    const bool may_dump = this->may_dump(round, now);
    const bool is_due = !is_unchanged && may_dump;
    kernel::TcpTable tcp(
        context.netlink, context.deadline,
        {.is_due = is_due, .last = state.partial, .allows_waiting_connections = may_dump});
    const auto cpu_before = thread_cpu();
    std::vector<prometheus::MetricFamily> families;
    const auto charge = [&] {
      if (is_due || tcp.has_read_waiting_connections()) {
        round.dump_cpu += thread_cpu() - cpu_before;  // also if the dump failed
      }
    };
    try {
      for (const auto& collector : state.collectors) {
        collect_from(*collector,
                     {proc, context.cgroups, context.pods, tcp, context.netlink, context.deadline,
                      true, state.created},
                     label, families, round);
      }
    } catch (...) {
      charge();
      throw;
    }
    charge();
    if (const kernel::PartialDump* partial = tcp.partial_dump_if_taken()) {
      state.partial = std::make_shared<const kernel::PartialDump>(*partial);
      state.dumped_at = now;
      state.activity_at_dump = activity;
    } else if (is_unchanged) {
      state.dumped_at = now;
      state.activity_at_dump = activity;
    }
    add_info(netns, label, context, families, round);
    if (state.partial) {
      add_series(round.age, {{"netns", label}},
                 std::chrono::duration<double>(now - state.dumped_at).count());
    }
    round.families.add(std::move(families), "netns", label);
  }

  bool has_room_for_sysctls() const {
    const auto with_room = std::ranges::count_if(states_, [](const auto& state) {
      return state.second.sysctls && state.second.sysctls->max_files() > 0;
    });
    return (static_cast<std::size_t>(with_room) + 1) * sysctls_per_namespace <=
           kernel::sysctl_descriptors().other_namespaces;
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
      context.deadline.check();  // a timeout ends the round, not just this collector
      found.errors.emplace_back(error.what());
    }
    std::ranges::move(found.families, std::back_inserter(families));
    std::ranges::move(found.missing, std::back_inserter(round.collection.missing));
    for (RecentFill& fill : found.recent_fills) {
      fill.labels.push_back({"netns", label});
      round.collection.recent_fills.push_back(std::move(fill));
    }
    for (const std::string& error : found.errors) {
      round.fail(in_namespace(label, error));
    }
  }

  CgroupOwner owner_of_process(const NetworkNamespace& netns) const {
    try {
      return netns.process == 0
                 ? CgroupOwner()
                 : kernel::owner_of_process(
                       proc_.read(std::to_string(netns.process) + "/cgroup").value_or(""));
    } catch (const std::system_error&) {
      return {};
    }
  }

  void add_info(const NetworkNamespace& netns, const std::string& label,
                const ScrapeContext& context, const std::vector<prometheus::MetricFamily>& families,
                Round& round) const {
    SocketOwners owners = owners_of_sockets(families);
    if (owners.pod_uids.empty()) {
      const CgroupOwner process = owner_of_process(netns);
      if (!process.pod_uid.empty()) {
        owners.pod_uids.insert(process.pod_uid);  // but the process may be its pause container's
      } else if (owners.container_ids.empty() && !process.container_id.empty()) {
        owners.container_ids.insert(process.container_id);
      }
    }
    kernel::PodName pod;
    if (owners.pod_uids.size() == 1) {
      pod = context.pods.read(round.collection.missing)
                .pod_of(owners.container_ids.empty() ? "" : *owners.container_ids.begin(),
                        *owners.pod_uids.begin());
    }
    add_series(round.info,
               {{"netns", label},
                {"inode", std::to_string(netns.id.inode)},
                {"path", netns.name.empty() ? "" : netns.file},
                {"pod_namespace", pod.pod_namespace},
                {"pod_name", pod.name},
                {"pod_uid", join_values(owners.pod_uids)},
                {"container_id", join_values(owners.container_ids)}},
               1);
  }

  NetnsOptions options_;
  kernel::FileTree proc_;
  kernel::FileTree proc_of_thread_;
  std::vector<NamespacedCollector> collectors_;
  CpuCredit credit_;
  std::map<NamespaceId, NamespaceState> states_;
  /// Shortly before the last discovery of all processes but those in `denied_`.
  CreatedTime processes_read_at_;
  std::set<pid_t> denied_;
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
  if (!has_capability(CAP_SYS_ADMIN)) {
    missing = "CAP_SYS_ADMIN (to enter network namespaces)";
  }
  if (options.discovers_processes() && !has_capability(CAP_SYS_PTRACE)) {
    missing.append(missing.empty() ? "" : "; ")
        .append("CAP_SYS_PTRACE (to find namespaces of other users' processes)");
  }
  return missing;
}

}  // namespace inetdiag
