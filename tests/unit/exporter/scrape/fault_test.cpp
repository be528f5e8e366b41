// Faults: the affected collectors fail, the others are complete, and the next scrape recovers. Runs
// every collector on recorded files and a fake kernel.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iterator>
#include <latch>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "collectors/registry.h"
#include "exporter/cli/command_line.h"
#include "exporter/scrape/scraper.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/diag_messages.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using kernel::Netlink;
using kernel::NetlinkFactory;
using ::testing::HasSubstr;

using Lines = std::set<std::string>;

const std::vector<std::string> socket_collectors = {"listeners", "owners", "packet", "qdisc",
                                                    "tcp",       "udp",    "unix"};
const std::vector<std::string> file_collectors = {
    "conntrack", "files",       "fragments", "neighbours", "netlink", "nstat",
    "raw",       "route_cache", "sockstat",  "softnet",    "sysctl"};

std::vector<NamedCollector> all_collectors() {
  const std::array<const char*, 3> arguments = {"inetdiag_exporter",
                                                "--collector.tcp.cpu-budget=100%",
                                                "--collector.listeners.sample-interval=0"};
  return std::move(parse_command_line(arguments, registry()).options->collectors);
}

std::string success(const std::string& collector, int value) {
  return "inetdiag_scrape_collector_success{collector=\"" + collector + "\"} " +
         std::to_string(value);
}

std::ptrdiff_t open_descriptors() {
  return std::ranges::distance(std::filesystem::directory_iterator("/proc/self/fd"));
}

struct FaultyHost {
  explicit FaultyHost(std::vector<NamedCollector> chosen = all_collectors())
      : collectors(std::move(chosen)) {
    std::filesystem::copy(FIXTURES "/proc", proc.root(), every);
    for (const std::size_t i : all_indices()) {
      healthy[scraper.names()[i]] = scrape(Selection{i});
    }
  }

  Selection all_indices() const {
    Selection selection(scraper.names().size());
    std::ranges::generate(selection, [i = std::size_t{0}]() mutable { return i++; });
    return selection;
  }

  /// Returns the series of a scrape without durations.
  Lines scrape(const Selection& selection, Scraper::Clock::duration time = 1h) {
    const auto result = scraper.scrape(selection, Scraper::Clock::now() + time);
    // A collector that is still running would be skipped by the next scrape.
    EXPECT_TRUE(scraper.wait_until_idle(Scraper::Clock::now() + 1h));
    return lines_of(*result);
  }
  static Lines lines_of(const ScrapeResult& result) {
    std::istringstream text(result.exposition.page(PageFormat::text));
    Lines lines;
    for (std::string line; std::getline(text, line);) {
      if (!line.starts_with('#') && line.find("_seconds") == std::string::npos) {
        lines.insert(line);
      }
    }
    return lines;
  }
  Lines scrape(Scraper::Clock::duration time = 1h) { return scrape(all_indices(), time); }

  /// Expects that the collectors in `failed` failed and that the others are complete.
  void expect_failed(const Lines& page, const std::vector<std::string>& failed) const {
    for (const auto& [name, lines] : healthy) {
      if (std::ranges::count(failed, name) > 0) {
        EXPECT_TRUE(page.contains(success(name, 0))) << name;
      } else {
        EXPECT_TRUE(std::ranges::includes(page, lines)) << name;
      }
    }
  }

  static constexpr auto every = std::filesystem::copy_options::recursive;
  TemporaryTree proc;
  TemporaryTree sys;
  FakeKernel kernel{.sockets = {{.port = 80, .receive_queue = 3, .send_queue = 128, .drops = 7},
                                {.port = 80, .state = kernel::TcpState::close_wait, .full = true}},
                    .udp_sockets = {{.port = 53, .state = kernel::TcpState::close, .drops = 1}},
                    .unix_sockets = {{.name = "/run/a", .receive_queue = 1, .send_queue = 4}}};
  NetlinkFactory netlink = kernel.factory();
  CapturedLog captured;
  std::vector<NamedCollector> collectors;
  Scraper scraper{{kernel::FileTree(proc.root()), kernel::FileTree(sys.root()),
                   [this](int protocol) { return netlink(protocol); }},
                  std::move(collectors),
                  [] { return std::vector<prometheus::MetricFamily>(); },
                  captured.log};
  /// The series of each collector without faults.
  std::map<std::string, Lines> healthy{};
};

TEST(Fault, IsNotReportedIfNoneOccurs) {
  FaultyHost host;
  const Lines complete = host.scrape();
  for (const auto* names : {&socket_collectors, &file_collectors}) {
    for (const std::string& name : *names) {
      EXPECT_TRUE(complete.contains(success(name, 1))) << name;
    }
  }
  EXPECT_EQ(host.scrape(), complete);
  EXPECT_EQ(host.captured.count("level=error"), 0);
}

enum class Step { open, send, receive };

class FailingNetlink : public Netlink {
 public:
  FailingNetlink(Step step, int error) : step_(step), error_(error) { fail_at(Step::open); }
  void send(std::span<const std::byte> /*request*/) override { fail_at(Step::send); }
  std::size_t receive(std::span<std::byte> /*buffer*/,
                      const kernel::Deadline& /*deadline*/) override {
    fail_at(Step::receive);
    return 0;
  }
  std::uint32_t port_id() const override { return replay_port_id; }
  std::uint32_t sequence() const override { return replay_sequence; }

 private:
  void fail_at(Step step) const {
    if (step == step_) {
      throw std::system_error(error_, std::generic_category(), "injected");
    }
  }

  Step step_;
  int error_;
};

NetlinkFactory failing(Step step, int error) {
  return [=](int /*protocol*/) { return std::make_unique<FailingNetlink>(step, error); };
}

NetlinkFactory replaying(const std::deque<Bytes>& datagrams) {
  return [=](int /*protocol*/) { return std::make_unique<ReplayNetlink>(datagrams); };
}

struct SocketFault {
  std::string name;
  NetlinkFactory netlink;
  std::string expected_error;
  std::vector<std::string> collectors = socket_collectors;
};

class NetlinkFaults : public ::testing::TestWithParam<SocketFault> {};

TEST_P(NetlinkFaults, FailTheSocketCollectorsInOneScrape) {
  FaultyHost host;
  const Lines complete = host.scrape();
  const auto descriptors = open_descriptors();
  host.netlink = GetParam().netlink;
  const auto failing = static_cast<int>(GetParam().collectors.size());
  host.expect_failed(host.scrape(), GetParam().collectors);
  EXPECT_EQ(host.captured.count("level=error"), failing);
  EXPECT_THAT(host.captured.text(), HasSubstr(GetParam().expected_error));
  EXPECT_EQ(open_descriptors(), descriptors);
  host.netlink = host.kernel.factory();
  EXPECT_EQ(host.scrape(), complete);
  EXPECT_EQ(host.captured.count("recovered"), failing);
}

const Bytes socket_message = data_message(FakeSocket{.cookie = 1, .drops = 1}.payload());

INSTANTIATE_TEST_SUITE_P(
    Each, NetlinkFaults,
    ::testing::Values(
        SocketFault{"NoDescriptor", failing(Step::open, EMFILE), "Too many open files"},
        SocketFault{"NoMemoryForRequest", failing(Step::send, ENOMEM), "Cannot allocate memory"},
        SocketFault{"NoBufferForRequest", failing(Step::send, ENOBUFS), "No buffer space"},
        SocketFault{"LostReplies", failing(Step::receive, ENOBUFS), "No buffer space"},
        SocketFault{"Interrupted", failing(Step::receive, EINTR), "Interrupted system call"},
        SocketFault{"NoModule",
                    replaying({error_message(-ENOENT)}),
                    "modprobe",
                    {"listeners", "owners", "qdisc", "tcp", "udp", "unix"}},
        SocketFault{"NoMemory", replaying({socket_message, error_message(-ENOMEM)}),
                    "Cannot allocate memory"},
        SocketFault{"Overrun", replaying({message(NLMSG_OVERRUN, {})}), "No buffer space"},
        SocketFault{"TableChanged",
                    replaying({message(TCPDIAG_GETSOCK, {}, 1, NLM_F_MULTI | NLM_F_DUMP_INTR)}),
                    "Interrupted system call"},
        SocketFault{"FailsMidway", replaying({socket_message, done_message(-ENOMEM)}),
                    "Cannot allocate memory"},
        SocketFault{"NoEnd", replaying({socket_message}), "timed out (scrape deadline)"},
        SocketFault{"Truncated",
                    replaying({Bytes(socket_message.begin(), socket_message.begin() + 40)}),
                    "invalid length"}),
    [](const auto& test) { return test.param.name; });

/// A kernel that lacks the diag module of some kinds of sockets.
class KernelWithoutModule : public Netlink {
 public:
  using IsMissing = std::function<bool(const nlmsghdr& header, std::byte family)>;

  KernelWithoutModule(std::unique_ptr<Netlink> kernel, IsMissing is_missing)
      : kernel_(std::move(kernel)), is_missing_(std::move(is_missing)) {}
  void send(std::span<const std::byte> request) override {
    nlmsghdr header{};
    std::memcpy(&header, request.data(), sizeof header);
    if (is_missing_(header, request[sizeof header])) {
      kernel_ = std::make_unique<ReplayNetlink>(std::deque<Bytes>{error_message(-ENOENT)});
    }
    kernel_->send(request);
  }
  std::size_t receive(std::span<std::byte> buffer, const kernel::Deadline& deadline) override {
    return kernel_->receive(buffer, deadline);
  }
  std::uint32_t port_id() const override { return kernel_->port_id(); }
  std::uint32_t sequence() const override { return kernel_->sequence(); }

 private:
  std::unique_ptr<Netlink> kernel_;
  IsMissing is_missing_;
};

struct ModuleFault {
  std::string module;
  KernelWithoutModule::IsMissing is_missing;
  std::vector<std::string> collectors;
};

class ModuleFaults : public ::testing::TestWithParam<ModuleFault> {};

TEST_P(ModuleFaults, FailOnlyTheCollectorsOfTheModule) {
  FaultyHost host;
  const Lines complete = host.scrape();
  host.netlink = [&host](int protocol) {
    return std::make_unique<KernelWithoutModule>(host.kernel.factory()(protocol),
                                                 GetParam().is_missing);
  };
  host.expect_failed(host.scrape(), GetParam().collectors);
  EXPECT_EQ(host.captured.count("level=error"), static_cast<int>(GetParam().collectors.size()));
  EXPECT_THAT(host.captured.text(), HasSubstr(GetParam().module));
  host.netlink = host.kernel.factory();
  EXPECT_EQ(host.scrape(), complete);
}

INSTANTIATE_TEST_SUITE_P(
    Each, ModuleFaults,
    ::testing::Values(ModuleFault{"tcp_diag",
                                  [](const nlmsghdr& header, std::byte /*family*/) {
                                    return header.nlmsg_type == TCPDIAG_GETSOCK;
                                  },
                                  {"listeners", "owners", "tcp"}},
                      ModuleFault{"udp_diag",
                                  [](const nlmsghdr& header, std::byte family) {
                                    return header.nlmsg_type != TCPDIAG_GETSOCK &&
                                           (family == std::byte{AF_INET} ||
                                            family == std::byte{AF_INET6});
                                  },
                                  {"udp"}},
                      ModuleFault{"unix_diag",
                                  [](const nlmsghdr& /*header*/, std::byte family) {
                                    return family == std::byte{AF_UNIX};
                                  },
                                  {"unix"}}),
    [](const auto& test) { return test.param.module; });

struct FileFault {
  std::string name;
  std::string file;
  std::vector<std::string> collectors;
};

class FileFaults : public ::testing::TestWithParam<FileFault> {};

TEST_P(FileFaults, FailOnlyTheReadersOfTheFileInOneScrape) {
  FaultyHost host;
  const Lines complete = host.scrape();
  const auto descriptors = open_descriptors();
  // A directory: root can read a file without permissions.
  const auto file = host.proc.path(GetParam().file);
  std::filesystem::rename(file, file.string() + ".away");
  std::filesystem::create_directory(file);
  const Lines page = host.scrape();
  host.expect_failed(page, GetParam().collectors);
  EXPECT_THAT(host.captured.text(), HasSubstr("cannot read " + file.string()));
  EXPECT_EQ(host.captured.count("level=error"), static_cast<int>(GetParam().collectors.size()));
  EXPECT_EQ(open_descriptors(), descriptors);
  std::filesystem::remove(file);
  std::filesystem::rename(file.string() + ".away", file);
  EXPECT_EQ(host.scrape(), complete);
}

INSTANTIATE_TEST_SUITE_P(
    Each, FileFaults,
    ::testing::Values(
        FileFault{"netstat", "net/netstat", {"listeners", "nstat"}},
        FileFault{"snmp", "net/snmp", {"nstat"}}, FileFault{"snmp6", "net/snmp6", {"nstat"}},
        FileFault{"sockstat", "net/sockstat", {"fragments", "sockstat"}},
        FileFault{"neighbours", "net/stat/arp_cache", {"neighbours"}},
        FileFault{"netlink", "net/netlink", {"netlink"}}, FileFault{"raw", "net/raw6", {"raw"}},
        FileFault{"file_nr", "sys/fs/file-nr", {"files"}},
        FileFault{"softnet", "net/softnet_stat", {"softnet"}},
        FileFault{"conntrack", "net/stat/nf_conntrack", {"conntrack"}},
        FileFault{"file_max", "sys/fs/file-max", {"sysctl"}},
        FileFault{"somaxconn", "sys/net/core/somaxconn", {"listeners", "sysctl"}},
        FileFault{"local_ports", "sys/net/ipv4/ip_local_port_range", {"ports", "udp", "sysctl"}}),
    [](const auto& test) { return test.param.name; });

TEST(Fault, IsReportedByEachCollectorPastTheDeadline) {
  FaultyHost host;
  const Lines complete = host.scrape();
  const Lines page = host.scrape(-1s);
  // Reading a file takes microseconds, so the first file collectors may still be in time. The
  // collector of ports reads nothing.
  std::vector<std::string> late = socket_collectors;
  std::vector<std::string> quick = file_collectors;
  quick.emplace_back("ports");
  std::ranges::copy_if(quick, std::back_inserter(late),
                       [&](const std::string& name) { return page.contains(success(name, 0)); });
  host.expect_failed(page, late);
  EXPECT_THAT(host.captured.text(), HasSubstr("timed out (scrape deadline)"));
  EXPECT_EQ(host.scrape(), complete);
}

/// Blocks until it is released, as if the kernel did not return, and then runs another collector.
class BlockedCollector : public Collector {
 public:
  BlockedCollector(std::unique_ptr<Collector> collector, std::atomic<bool>& is_blocked)
      : collector_(std::move(collector)), is_blocked_(is_blocked) {}
  Collection collect(const ScrapeContext& context) override {
    is_blocked_.wait(true);
    return collector_->collect(context);
  }

 private:
  std::unique_ptr<Collector> collector_;
  std::atomic<bool>& is_blocked_;
};

void expect_only_one_timeout(const std::string& name) {
  std::atomic<bool> is_blocked = false;
  std::vector<NamedCollector> collectors = all_collectors();
  const auto one = std::ranges::find(collectors, name, &NamedCollector::name);
  ASSERT_NE(one, collectors.end());
  one->collector = std::make_unique<BlockedCollector>(std::move(one->collector), is_blocked);
  FaultyHost host(std::move(collectors));
  const auto begin = Scraper::Clock::now();
  const Lines complete = host.scrape();
  const auto taken = Scraper::Clock::now() - begin;
  is_blocked = true;
  // Enough for the others, even on a slow machine.
  const auto end = Scraper::Clock::now() + std::max<Scraper::Clock::duration>(2s, 10 * taken);
  const Lines late = FaultyHost::lines_of(*host.scraper.scrape(host.all_indices(), end));
  EXPECT_GE(Scraper::Clock::now(), end) << name;
  is_blocked = false;
  is_blocked.notify_all();
  ASSERT_TRUE(host.scraper.wait_until_idle(Scraper::Clock::now() + 1h));
  host.expect_failed(late, {name});
  EXPECT_EQ(host.captured.count("level=error"), 1) << host.captured.text();
  EXPECT_EQ(host.captured.count("timed out (scrape deadline)"), 1) << name;
  EXPECT_EQ(host.scrape(), complete) << name;
}

TEST(Fault, ABlockedCollectorFailsAloneAndInOneScrape) {
  // In parallel, because each takes as long as its deadline.
  std::vector<std::jthread> hosts;
  for (const auto* names : {&socket_collectors, &file_collectors}) {
    for (const std::string& name : *names) {
      hosts.emplace_back(expect_only_one_timeout, name);
    }
  }
}

/// Prevents this process from opening descriptors.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{0, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(Fault, ExhaustedDescriptorsFailCollectorsInOneScrape) {
  FaultyHost host;
  const Lines complete = host.scrape();
  host.netlink = kernel::open_netlink;
  Lines page;
  {
    const NoDescriptors no_descriptors;
    page = host.scrape();
  }
  for (const auto* names : {&socket_collectors, &file_collectors}) {
    for (const std::string& name : *names) {
      EXPECT_TRUE(page.contains(success(name, 0))) << name;
    }
  }
  EXPECT_THAT(host.captured.text(), HasSubstr("Too many open files"));
  host.netlink = host.kernel.factory();
  EXPECT_EQ(host.scrape(), complete);
}

/// Sends no datagram until the scrape is stopped, like a long dump.
class DumpUntilDeadline : public Netlink {
 public:
  explicit DumpUntilDeadline(std::latch& entered) : entered_(entered) {}
  void send(std::span<const std::byte> /*request*/) override {}
  std::size_t receive(std::span<std::byte> /*buffer*/, const kernel::Deadline& deadline) override {
    entered_.count_down();
    while (true) {
      deadline.check();
      std::this_thread::yield();
    }
  }
  std::uint32_t port_id() const override { return replay_port_id; }
  std::uint32_t sequence() const override { return replay_sequence; }

 private:
  std::latch& entered_;
};

TEST(Fault, AStopDuringADumpLeaksNothing) {
  FaultyHost host;
  host.scrape();
  const auto descriptors = open_descriptors();
  // A scrape dumps on a few threads: each counts down at most once before the stop.
  constexpr int max_threads = 100;
  std::latch dumping(1);
  std::latch others(max_threads);
  std::atomic<bool> is_first = true;
  host.netlink = [&](int /*protocol*/) {
    return std::make_unique<DumpUntilDeadline>(is_first.exchange(false) ? dumping : others);
  };
  std::jthread client([&] {
    EXPECT_THROW(host.scraper.scrape(host.all_indices(), Scraper::Clock::now() + 1h),
                 ScrapeStopped);
  });
  dumping.wait();
  host.scraper.stop();
  client.join();
  EXPECT_TRUE(host.scraper.wait_until_idle(Scraper::Clock::now() + 1h));
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_EQ(host.captured.count("level=error"), 0);
}

}  // namespace
}  // namespace inetdiag
