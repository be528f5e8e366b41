// Enters the sandbox in a child process and tests which system calls it permits.
#include "exporter/sandbox/sandbox.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collectors/kernel/netlink/tcp_table.h"
#include "exporter/build_info.h"
#include "exporter/sandbox/landlock.h"
#include "exporter/sandbox/seccomp.h"
#include "tests/live/network_namespace.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using kernel::UniqueFd;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::listen_on;
using testing::port_of;
using testing::TemporaryTree;

/// Runs a function in a child process and returns its result.
std::string in_child(const std::function<std::string()>& function) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) {
    return "pipe() failed";
  }
  const pid_t child = ::fork();
  if (child == 0) {
    std::string result;
    try {
      result = function();
    } catch (const std::exception& error) {
      result = std::string("threw: ") + error.what();
    }
    (void)!::write(ends[1], result.data(), result.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string result;
  std::array<char, 4096> buffer{};
  for (ssize_t n = 0; (n = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
    result.append(buffer.data(), static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? result : "killed by signal " + std::to_string(WTERMSIG(status));
}

/// Returns `ok`, or the name of errno.
std::string outcome(long result) { return result >= 0 ? "ok" : strerrorname_np(errno); }

std::string start_program() {
  pid_t pid = 0;
  std::string name = "true";
  std::array<char*, 2> arguments = {name.data(), nullptr};
  const int error = ::posix_spawn(&pid, "/bin/true", nullptr, nullptr, arguments.data(), nullptr);
  return error == 0 ? "ok" : strerrorname_np(error);
}

std::string run_program() {
  std::string name = "true";
  std::array<char*, 2> arguments = {name.data(), nullptr};
  return outcome(::execv("/bin/true", arguments.data()));
}

std::string outcome_of_connect(int fd, std::uint16_t port, socklen_t length = sizeof(sockaddr_in)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return outcome(::connect(fd, reinterpret_cast<const sockaddr*>(&address), length));
}

class Sandbox : public testing::NetworkNamespace {
 protected:
  void SetUp() override {
    NetworkNamespace::SetUp();
    if (build_info::sanitizers != "none") {
      GTEST_SKIP() << "the sandbox denies system calls of the sanitizers";
    }
    tree_.write("file", "text");
  }

  std::string file() const { return tree_.path("file").string(); }

  /// Runs a function in a child process in the sandbox and returns its result.
  std::string attempt(const std::function<std::string()>& function,
                      const SandboxPolicy& policy = {.read_paths = {"/proc", "/sys"}}) {
    return in_child([&] {
      for (const SandboxPart& part : enter_sandbox(policy)) {
        if (!part.is_applied && part.name != "landlock") {
          return part.name + " is not applied: " + part.detail;
        }
      }
      return function();
    });
  }

  static bool has_landlock(long version = 1) {
    constexpr long create_ruleset = 444;
    return ::syscall(create_ruleset, nullptr, 0, 1) >= version;
  }

  TemporaryTree tree_;
};

const auto denied = AnyOf("EPERM", "EACCES");

TEST_F(Sandbox, DeniesWritingFiles) {
  const std::string new_file = tree_.path("new").string();
  EXPECT_EQ(in_child([&] { return outcome(::open(file().c_str(), O_WRONLY)); }), "ok");
  EXPECT_THAT(attempt([&] { return outcome(::open(file().c_str(), O_WRONLY)); }), denied);
  EXPECT_THAT(attempt([&] { return outcome(::open(file().c_str(), O_RDWR)); }), denied);
  EXPECT_THAT(attempt([&] { return outcome(::open(file().c_str(), O_RDONLY | O_TRUNC)); }), denied);
  EXPECT_THAT(attempt([&] { return outcome(::open(new_file.c_str(), O_RDONLY | O_CREAT, 0600)); }),
              denied);
  EXPECT_THAT(attempt([&] { return outcome(::truncate(file().c_str(), 0)); }), denied);
  EXPECT_THAT(attempt([&] { return outcome(::unlink(file().c_str())); }), denied);
  EXPECT_THAT(attempt([&] { return outcome(::rename(file().c_str(), new_file.c_str())); }), denied);
  EXPECT_THAT(attempt([&] { return outcome(::chmod(file().c_str(), 0777)); }), denied);
  EXPECT_THAT(attempt([&] { return outcome(::mkdir(new_file.c_str(), 0700)); }), denied);
  EXPECT_THAT(attempt([&] { return outcome(::open("/proc/self/comm", O_WRONLY)); }), denied);
  std::ifstream stream(file());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), "text");
}

TEST_F(Sandbox, DeniesStartingPrograms) {
  EXPECT_EQ(in_child(start_program), "ok");
  EXPECT_THAT(attempt(start_program), denied);
  EXPECT_THAT(attempt(run_program), denied);
  EXPECT_THAT(attempt([] { return outcome(::fork()); }), denied);
  EXPECT_THAT(attempt([] {
                void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                return outcome(memory == MAP_FAILED ? -1 : 0);
              }),
              denied);
}

TEST_F(Sandbox, DeniesConnections) {
  const UniqueFd server = listen_on({});
  const std::uint16_t port = port_of(server);
  const auto connect_new_socket = [&] {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
    return fd ? outcome_of_connect(fd.get(), port) : outcome(-1);
  };
  EXPECT_EQ(in_child(connect_new_socket), "ok");
  EXPECT_THAT(attempt(connect_new_socket), denied);

  // A socket opened before the sandbox.
  const UniqueFd earlier(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_THAT(attempt([&] { return outcome_of_connect(earlier.get(), port); }), denied);
  // connect() of netlink sockets is allowed by the length of their addresses.
  EXPECT_EQ(attempt([&] { return outcome_of_connect(earlier.get(), port, sizeof(sockaddr_nl)); }),
            "EINVAL");
  EXPECT_THAT(
      attempt([&] {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return outcome(::sendto(earlier.get(), "x", 1, MSG_FASTOPEN,
                                reinterpret_cast<const sockaddr*>(&address), sizeof address));
      }),
      denied);
  for (const int family : {AF_INET, AF_INET6, AF_PACKET}) {
    for (const int type : {SOCK_DGRAM, SOCK_RAW, SOCK_STREAM}) {
      EXPECT_THAT(attempt([=] { return outcome(::socket(family, type, 0)); }), denied)
          << family << " " << type;
    }
  }
  EXPECT_THAT(attempt([] { return outcome(::socket(AF_UNIX, SOCK_STREAM, 0)); }), denied);
}

TEST_F(Sandbox, ReachesItsOwnHttpServerButNoOtherPathOrPort) {
  const SandboxPolicy policy{.has_http_server = true};
  const auto connect_to = [](const UniqueFd& server) {
    sockaddr_un name{};
    socklen_t length = sizeof name;
    ::getsockname(server.get(), reinterpret_cast<sockaddr*>(&name), &length);
    const UniqueFd client(::socket(AF_UNIX, SOCK_STREAM, 0));
    return outcome(::connect(client.get(), reinterpret_cast<const sockaddr*>(&name), length));
  };
  const auto listen_on_unix = [](sockaddr_un name, socklen_t length) {
    UniqueFd server(::socket(AF_UNIX, SOCK_STREAM, 0));
    return ::bind(server.get(), reinterpret_cast<const sockaddr*>(&name), length) == 0 &&
                   ::listen(server.get(), 1) == 0
               ? std::move(server)
               : UniqueFd();
  };
  const sockaddr_un chosen_by_kernel{.sun_family = AF_UNIX, .sun_path = {}};
  EXPECT_EQ(
      attempt([&] { return connect_to(listen_on_unix(chosen_by_kernel, sizeof(sa_family_t))); },
              policy),
      "ok");

  const TemporaryTree directory;
  sockaddr_un path{.sun_family = AF_UNIX, .sun_path = {}};
  directory.path("s").string().copy(path.sun_path, sizeof path.sun_path - 1);
  const UniqueFd other = listen_on_unix(path, sizeof path);
  ASSERT_TRUE(other);
  EXPECT_EQ(in_child([&] { return connect_to(other); }), "ok");
  EXPECT_THAT(attempt([&] { return connect_to(other); }, policy), denied);
  EXPECT_THAT(attempt([] { return outcome(::socket(AF_INET, SOCK_STREAM, 0)); }, policy), denied);
}

TEST_F(Sandbox, AllowsConnectionsToConfiguredPorts) {
  if (!has_landlock(4)) {
    GTEST_SKIP() << "Landlock of this kernel does not support ports";
  }
  const UniqueFd allowed = listen_on({});
  const UniqueFd other = listen_on({});
  const SandboxPolicy policy{.connect_to_ports = {port_of(allowed)}};
  const auto connecting_to = [](const UniqueFd& server) {
    return [port = port_of(server)] {
      const UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
      return fd ? outcome_of_connect(fd.get(), port) : outcome(-1);
    };
  };
  EXPECT_EQ(attempt(connecting_to(allowed), policy), "ok");
  EXPECT_EQ(attempt(connecting_to(other), policy), "EACCES");
}

TEST_F(Sandbox, AllowsDatagramsByPolicy) {
  const auto open_datagram = [] { return outcome(::socket(AF_INET, SOCK_DGRAM, 0)); };
  EXPECT_THAT(attempt(open_datagram), denied);
  EXPECT_EQ(attempt(open_datagram, {.allow_outgoing_datagrams = true}), "ok");
  EXPECT_THAT(attempt([] { return outcome(::socket(AF_INET, SOCK_STREAM, 0)); },
                      {.allow_outgoing_datagrams = true}),
              denied);
}

TEST_F(Sandbox, DropsPrivileges) {
  const auto status = [] {
    std::ifstream file("/proc/self/status");
    std::stringstream contents;
    contents << file.rdbuf();
    return contents.str();
  };
  const std::string text = attempt(status);
  for (const auto* line :
       {"CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
        "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(attempt(status, {.read_paths = {"/proc"}, .keep_capabilities = {CAP_SYS_ADMIN}}),
              HasSubstr("CapEff:\t0000000000200000"));
  EXPECT_THAT(attempt([] { return outcome(::unshare(CLONE_NEWUSER)); }), denied);
  EXPECT_THAT(attempt([] { return outcome(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }),
              denied);
  EXPECT_THAT(attempt([] { return outcome(::kill(::getppid(), 0)); }), denied);
  EXPECT_THAT(attempt([] {
                const rlimit limit{.rlim_cur = 8, .rlim_max = 8};
                return outcome(::setrlimit(RLIMIT_NOFILE, &limit));
              }),
              denied);
}

TEST_F(Sandbox, AllowsSetnsByPolicy) {
  const auto enter = [] {
    const UniqueFd fd(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    return fd ? outcome(::setns(fd.get(), CLONE_NEWNET)) : "open: " + outcome(-1);
  };
  const auto enter_another_kind = [] {
    const UniqueFd fd(::open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
    return fd ? outcome(::setns(fd.get(), CLONE_NEWUTS)) : "open: " + outcome(-1);
  };
  const SandboxPolicy policy{
      .read_paths = {"/proc"}, .allow_setns = true, .keep_capabilities = {CAP_SYS_ADMIN}};
  EXPECT_THAT(attempt(enter), denied);
  EXPECT_EQ(attempt(enter, policy), "ok");
  EXPECT_THAT(attempt(enter_another_kind, policy), denied);
}

TEST_F(Sandbox, AllowsWhatAScrapeNeeds) {
  EXPECT_EQ(attempt([] {
              std::string result = "started";
              std::thread([&result] {
                kernel::TcpTable tcp(kernel::open_netlink,
                                     kernel::Deadline::in(std::chrono::seconds(10)));
                tcp.listeners();
                const UniqueFd limits(::open("/proc/sys/net/ipv4/tcp_syncookies", O_RDONLY));
                std::array<char, IF_NAMESIZE> name{};
                result = limits && ::if_indextoname(1, name.data()) != nullptr
                             ? name.data()
                             : strerrorname_np(errno);
              }).join();
              return result;
            }),
            "lo");
}

// The threads for requests, TLS, StatsD and the log start after the sandbox.
TEST_F(Sandbox, AppliesToLaterThreads) {
  const UniqueFd server = listen_on({});
  const std::uint16_t port = port_of(server);
  const auto in_thread = [](const std::function<std::string()>& function) {
    return [function] {
      std::string result;
      std::thread([&] { result = function(); }).join();
      return result;
    };
  };
  EXPECT_EQ(attempt(in_thread([] { return outcome(::open("/proc/uptime", O_RDONLY)); })), "ok");
  EXPECT_THAT(attempt(in_thread([&] { return outcome(::open(file().c_str(), O_WRONLY)); })),
              denied);
  EXPECT_THAT(attempt(in_thread(start_program)), denied);
  EXPECT_THAT(attempt(in_thread(run_program)), denied);
  const UniqueFd earlier(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_THAT(attempt(in_thread([&] { return outcome_of_connect(earlier.get(), port); })), denied);
  if (has_landlock()) {
    EXPECT_EQ(attempt(in_thread([&] { return outcome(::open(file().c_str(), O_RDONLY)); })),
              "EACCES");
  }
}

// Landlock and seccomp each work alone.
TEST_F(Sandbox, LandlockAloneDeniesFiles) {
  if (!has_landlock()) {
    GTEST_SKIP() << "Landlock is not available or not enabled";
  }
  const auto alone = [&](const std::function<std::string()>& function) {
    return in_child([&] {
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      restrict_files({.read_paths = {tree_.root(), "/nothing-here"}});
      return function();
    });
  };
  EXPECT_EQ(alone([&] { return outcome(::open(file().c_str(), O_RDONLY)); }), "ok");
  EXPECT_EQ(alone([&] { return outcome(::open(file().c_str(), O_WRONLY)); }), "EACCES");
  EXPECT_EQ(alone([&] { return outcome(::unlink(file().c_str())); }), "EACCES");
  EXPECT_EQ(alone([] { return outcome(::open("/etc/passwd", O_RDONLY)); }), "EACCES");
  EXPECT_EQ(alone([] { return outcome(::open("/proc/self/status", O_RDONLY)); }), "EACCES");
  EXPECT_EQ(alone(run_program), "EACCES");
}

TEST_F(Sandbox, LandlockAllowsListingDirectoriesWithoutReadingFiles) {
  if (!has_landlock()) {
    GTEST_SKIP() << "Landlock is not available or not enabled";
  }
  const std::string below = tree_.make_directory("directory/below").string();
  const auto listing = [&](const std::function<std::string()>& function) {
    return in_child([&] {
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      restrict_files({.list_paths = {tree_.root(), file()}});
      return function();
    });
  };
  EXPECT_EQ(listing([&] { return outcome(::open(below.c_str(), O_RDONLY | O_DIRECTORY)); }), "ok");
  EXPECT_EQ(listing([&] { return outcome(::open(file().c_str(), O_RDONLY)); }), "EACCES");
  EXPECT_EQ(listing([] { return outcome(::open("/proc", O_RDONLY | O_DIRECTORY)); }), "EACCES");
}

TEST_F(Sandbox, SeccompAloneDeniesProgramsAndConnections) {
  const auto alone = [](const std::function<std::string()>& function) {
    return in_child([&] {
      restrict_system_calls({});
      return function();
    });
  };
  EXPECT_EQ(alone([&] { return outcome(::open(file().c_str(), O_RDONLY)); }), "ok");
  EXPECT_EQ(alone([&] { return outcome(::open(file().c_str(), O_WRONLY)); }), "EPERM");
  EXPECT_EQ(alone(run_program), "EPERM");
  EXPECT_EQ(alone([] { return outcome(::socket(AF_INET, SOCK_STREAM, 0)); }), "EPERM");
}

}  // namespace
}  // namespace inetdiag
