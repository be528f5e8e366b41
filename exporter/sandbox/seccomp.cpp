#include "exporter/sandbox/seccomp.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace inetdiag {
namespace {

// By name, since not every architecture has all of them.
constexpr std::array allowed_calls = {
    // open descriptors
    "read", "readv", "pread64", "write", "writev", "close", "lseek", "_llseek", "fcntl", "fcntl64",
    "fstat", "fstat64", "fstatfs", "fstatfs64", "getdents", "getdents64", "poll", "ppoll",
    "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64", "eventfd2",
    // paths
    "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx", "statfs", "statfs64",
    "access", "faccessat", "faccessat2", "readlink", "readlinkat",
    // existing sockets
    "accept", "accept4", "bind", "getsockname", "getpeername", "getsockopt", "setsockopt",
    "recvfrom", "recv", "recvmsg", "recvmmsg", "send", "shutdown",
    // memory
    "brk", "munmap", "mremap", "madvise", "mincore", "membarrier",
    // threads
    "futex", "futex_time64", "set_robust_list", "get_robust_list", "rseq", "sched_yield",
    "sched_getaffinity", "gettid", "getpid", "exit", "exit_group", "restart_syscall",
    // signals
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "rt_sigtimedwait",
    "rt_sigtimedwait_time64", "sigaltstack",
    // time
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "clock_nanosleep",
    "clock_nanosleep_time64", "nanosleep", "gettimeofday", "time", "times",
    // the process itself
    "getrandom", "getrusage", "getrlimit", "ugetrlimit", "sysinfo", "uname", "getuid", "getuid32",
    "geteuid", "geteuid32", "getgid", "getgid32", "getegid", "getegid32", "getcpu", "getppid"};

// Their flags are in memory, where seccomp cannot check them. On ENOSYS glibc uses clone and
// openat.
constexpr std::array unsupported_calls = {"clone3", "openat2"};

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release) {
    if (context_ == nullptr) {
      throw std::runtime_error("libseccomp does not support this architecture");
    }
    check(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_TSYNC, 1), "threads");
  }

  void allow(const char* name, std::initializer_list<scmp_arg_cmp> arguments = {}) {
    add(SCMP_ACT_ALLOW, name, arguments);
  }

  void return_enosys(const char* name) { add(SCMP_ACT_ERRNO(ENOSYS), name, {}); }

  void load() { check(seccomp_load(context_.get()), "load"); }

 private:
  static void check(int result, const char* what) {
    if (result < 0) {
      throw std::system_error(-result, std::generic_category(), what);
    }
  }

  void add(std::uint32_t action, const char* name, std::initializer_list<scmp_arg_cmp> arguments) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) {
      return;
    }
    const int result = seccomp_rule_add_array(context_.get(), action, number,
                                              static_cast<unsigned>(arguments.size()),
                                              arguments.size() > 0 ? arguments.begin() : nullptr);
    if (result != -EDOM) {  // not a system call of this architecture
      check(result, name);
    }
  }

  std::unique_ptr<void, decltype(&seccomp_release)> context_;
};

/// Matches if the bits of `mask` in this argument are `value`.
scmp_arg_cmp masked_equal(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

/// Matches an int argument: the kernel ignores the upper half of the register.
scmp_arg_cmp equal(unsigned argument, std::uint32_t value) {
  return masked_equal(argument, std::numeric_limits<std::uint32_t>::max(), value);
}

scmp_arg_cmp is_null(unsigned argument) { return {argument, SCMP_CMP_EQ, 0, 0}; }

void allow_reading_files(Filter& filter) {
  constexpr std::uint64_t write_flags = O_ACCMODE | O_CREAT | O_TRUNC;
  filter.allow("open", {masked_equal(1, write_flags, O_RDONLY)});
  filter.allow("openat", {masked_equal(2, write_flags, O_RDONLY)});
}

void allow_threads(Filter& filter) {
#if defined(__s390__)
  constexpr unsigned flags_argument = 1;
#else
  constexpr unsigned flags_argument = 0;
#endif
  filter.allow("clone", {masked_equal(flags_argument, CLONE_THREAD, CLONE_THREAD)});
  filter.allow("prctl", {equal(0, PR_SET_NAME)});
  // For abort(3).
  filter.allow("tgkill", {equal(0, static_cast<std::uint32_t>(::getpid()))});
  // Read limits, but do not set them.
  filter.allow("prlimit64", {is_null(2)});
}

void allow_memory(Filter& filter) {
  for (const char* name : {"mmap", "mmap2", "mprotect"}) {
    filter.allow(name, {masked_equal(2, PROT_EXEC, 0)});
  }
}

// The family, a NUL byte and five digits: unix(7), "Autobind feature".
constexpr std::uint32_t autobound_address_length = 8;

void allow_sockets(Filter& filter, const SandboxPolicy& policy) {
  // With MSG_FASTOPEN they would connect.
  filter.allow("sendto", {masked_equal(3, MSG_FASTOPEN, 0)});
  filter.allow("sendmsg", {masked_equal(2, MSG_FASTOPEN, 0)});
  filter.allow("sendmmsg", {masked_equal(3, MSG_FASTOPEN, 0)});
  constexpr std::uint64_t type_mask =
      std::numeric_limits<std::uint32_t>::max() & ~std::uint64_t{SOCK_CLOEXEC | SOCK_NONBLOCK};
  filter.allow("socket", {equal(0, AF_NETLINK)});
  // For if_indextoname(3).
  filter.allow("socket", {equal(0, AF_UNIX), masked_equal(1, type_mask, SOCK_DGRAM)});
  filter.allow("ioctl", {equal(1, SIOCGIFNAME)});
  if (policy.allow_outgoing_datagrams) {
    filter.allow("socket", {equal(0, AF_INET), masked_equal(1, type_mask, SOCK_DGRAM)});
    filter.allow("socket", {equal(0, AF_INET6), masked_equal(1, type_mask, SOCK_DGRAM)});
  }
  if (!policy.connect_to_ports.empty()) {
    filter.allow("socket", {equal(0, AF_INET), masked_equal(1, type_mask, SOCK_STREAM)});
  }
  if (policy.has_http_server) {
    filter.allow("socket", {equal(0, AF_UNIX), masked_equal(1, type_mask, SOCK_STREAM)});
    filter.allow("listen");
    filter.allow("dup3");
  }
  if (policy.allow_outgoing_datagrams || !policy.connect_to_ports.empty()) {
    filter.allow("connect");
    return;
  }
  // seccomp cannot read the address in memory, but these lengths are too short for TCP and UDP.
  // UNIX paths of up to 10 bytes fit into the first, of up to 6 into the second.
  filter.allow("connect", {equal(2, sizeof(sockaddr_nl))});
  if (policy.has_http_server) {
    filter.allow("connect", {equal(2, autobound_address_length)});
  }
}

}  // namespace

void restrict_system_calls(const SandboxPolicy& policy) {
  Filter filter;
  for (const char* name : allowed_calls) {
    filter.allow(name);
  }
  for (const char* name : unsupported_calls) {
    filter.return_enosys(name);
  }
  allow_reading_files(filter);
  allow_threads(filter);
  allow_memory(filter);
  allow_sockets(filter, policy);
  if (policy.allow_setns) {
    filter.allow("setns", {equal(1, CLONE_NEWNET)});
  }
  filter.load();
}

}  // namespace inetdiag
