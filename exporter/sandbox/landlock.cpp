#include "exporter/sandbox/landlock.h"

#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"

namespace inetdiag {
namespace {

// From linux/landlock.h: the header of Debian 12 is older than the kernels that this runs on. The
// system call numbers are the same on every architecture.
constexpr long create_ruleset = 444;
constexpr long add_rule = 445;
constexpr long restrict_self = 446;
constexpr std::uint32_t query_version = 1;
constexpr int rule_path_beneath = 1;
constexpr int rule_net_port = 2;
constexpr std::uint64_t fs_read_file = 1U << 2U;
constexpr std::uint64_t fs_read_dir = 1U << 3U;
constexpr std::uint64_t fs_version_1 = (1U << 13U) - 1;
constexpr std::uint64_t fs_refer = 1U << 13U;      // since version 2
constexpr std::uint64_t fs_truncate = 1U << 14U;   // since version 3
constexpr std::uint64_t fs_ioctl_dev = 1U << 15U;  // since version 5
constexpr std::uint64_t net_bind_tcp = 1U << 0U;   // since version 4
constexpr std::uint64_t net_connect_tcp = 1U << 1U;
constexpr std::uint64_t scope_abstract_unix_socket = 1U << 0U;  // since version 6
constexpr std::uint64_t scope_signal = 1U << 1U;

constexpr long version_of_refer = 2;
constexpr long version_of_truncate = 3;
constexpr long version_of_network = 4;
constexpr long version_of_ioctl = 5;
constexpr long version_of_scopes = 6;

struct Ruleset {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};
struct __attribute__((packed)) PathBeneath {
  std::uint64_t allowed_access;
  std::int32_t parent_fd;
};
struct NetPort {
  std::uint64_t allowed_access;
  std::uint64_t port;
};

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::uint64_t supported_fs_rights(long version) {
  return fs_version_1 | (version >= version_of_refer ? fs_refer : 0) |
         (version >= version_of_truncate ? fs_truncate : 0) |
         (version >= version_of_ioctl ? fs_ioctl_dev : 0);
}

void allow_beneath(int ruleset, std::uint64_t rights, const std::string& path) {
  const kernel::UniqueFd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat file {};
  // A missing path needs no rule.
  if (!fd || ::fstat(fd.get(), &file) != 0) {
    return;
  }
  const PathBeneath rule{.allowed_access = S_ISDIR(file.st_mode) ? rights : rights & ~fs_read_dir,
                         .parent_fd = fd.get()};
  if (rule.allowed_access != 0 && ::syscall(add_rule, ruleset, rule_path_beneath, &rule, 0) != 0) {
    fail("landlock_add_rule for " + path);
  }
}

}  // namespace

std::string restrict_files(const SandboxPolicy& policy) {
  if (policy.inspect_processes) {
    // Landlock denies ptrace access to processes outside the domain, and so /proc/PID/ns
    // (ptrace(2), "Ptrace access mode checking").
    throw std::runtime_error("incompatible with reading /proc/PID/ns of other processes");
  }
  const long version = ::syscall(create_ruleset, nullptr, 0, query_version);
  if (version < 1) {
    throw std::runtime_error(errno == ENOSYS ? "not supported by this kernel (needs Linux 5.13)"
                             : errno == EOPNOTSUPP ? "disabled in this kernel (boot parameter lsm=)"
                                                   : "not permitted here");
  }
  Ruleset rights{
      .handled_access_fs = supported_fs_rights(version), .handled_access_net = 0, .scoped = 0};
  std::size_t size = sizeof rights.handled_access_fs;
  if (version >= version_of_network) {
    rights.handled_access_net = net_bind_tcp | net_connect_tcp;
    size += sizeof rights.handled_access_net;
  }
  if (version >= version_of_scopes) {
    rights.scoped =
        scope_signal | (policy.allow_outgoing_datagrams ? 0 : scope_abstract_unix_socket);
    size += sizeof rights.scoped;
  }
  const kernel::UniqueFd ruleset(static_cast<int>(::syscall(create_ruleset, &rights, size, 0)));
  if (!ruleset) {
    fail("landlock_create_ruleset");
  }
  for (const std::string& path : policy.read_paths) {
    allow_beneath(ruleset.get(), fs_read_file | fs_read_dir, path);
  }
  for (const std::string& path : policy.list_paths) {
    allow_beneath(ruleset.get(), fs_read_dir, path);
  }
  for (const std::uint16_t port : policy.connect_to_ports) {
    const NetPort rule{.allowed_access = net_connect_tcp, .port = port};
    if (version >= version_of_network &&
        ::syscall(add_rule, ruleset.get(), rule_net_port, &rule, 0) != 0) {
      fail("landlock_add_rule for a port");
    }
  }
  if (::syscall(restrict_self, ruleset.get(), 0) != 0) {
    fail("landlock_restrict_self");
  }
  return version < version_of_network && !policy.connect_to_ports.empty()
             ? "outgoing TCP ports are not restricted (needs Linux 6.7)"
             : "";
}

}  // namespace inetdiag
