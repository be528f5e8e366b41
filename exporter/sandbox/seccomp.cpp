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

// By name: not every architecture has all of them.
constexpr std::array harmless = {
    // descriptors that are open
    "read", "readv", "pread64", "write", "writev", "close", "lseek", "_llseek", "fcntl", "fcntl64",
    "fstat", "fstat64", "fstatfs", "fstatfs64", "getdents", "getdents64", "poll", "ppoll",
    "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64", "eventfd2",
    // names of files
    "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx", "statfs", "statfs64",
    "access", "faccessat", "faccessat2", "readlink", "readlinkat",
    // sockets that are there
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
    // what the process is
    "getrandom", "getrusage", "getrlimit", "ugetrlimit", "sysinfo", "uname", "getuid", "getuid32",
    "geteuid", "geteuid32", "getgid", "getgid32", "getegid", "getegid32", "getcpu", "getppid"};

// glibc has another way where the kernel does not know them; their flags lie in memory, out of
// seccomp's sight.
constexpr std::array unknown = {"clone3", "openat2"};

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release) {
    if (context_ == nullptr) {
      throw std::runtime_error("libseccomp does not know this architecture");
    }
    must(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_TSYNC, 1), "threads");
  }

  void allow(const char* name, std::initializer_list<scmp_arg_cmp> arguments = {}) {
    add(SCMP_ACT_ALLOW, name, arguments);
  }

  void pretend_unknown(const char* name) { add(SCMP_ACT_ERRNO(ENOSYS), name, {}); }

  void load() { must(seccomp_load(context_.get()), "load"); }

 private:
  static void must(int result, const char* what) {
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
    if (result != -EDOM) {  // none of this architecture's
      must(result, name);
    }
  }

  std::unique_ptr<void, decltype(&seccomp_release)> context_;
};

/// The bits of `mask` in this argument are `value`.
scmp_arg_cmp has(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

/// An int, of which the kernel takes no more than this from a register.
scmp_arg_cmp is(unsigned argument, std::uint32_t value) {
  return has(argument, std::numeric_limits<std::uint32_t>::max(), value);
}

scmp_arg_cmp is_null(unsigned argument) { return {argument, SCMP_CMP_EQ, 0, 0}; }

void allow_reading_files(Filter& filter) {
  constexpr std::uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC;
  filter.allow("open", {has(1, writing, O_RDONLY)});
  filter.allow("openat", {has(2, writing, O_RDONLY)});
}

void allow_threads(Filter& filter) {
#if defined(__s390__)
  constexpr unsigned flags = 1;
#else
  constexpr unsigned flags = 0;
#endif
  filter.allow("clone", {has(flags, CLONE_THREAD, CLONE_THREAD)});
  filter.allow("prctl", {is(0, PR_SET_NAME)});
  // abort()
  filter.allow("tgkill", {is(0, static_cast<std::uint32_t>(::getpid()))});
  // Limits can be read, not set.
  filter.allow("prlimit64", {is_null(2)});
}

void allow_memory(Filter& filter) {
  for (const char* name : {"mmap", "mmap2", "mprotect"}) {
    filter.allow(name, {has(2, PROT_EXEC, 0)});
  }
}

void allow_sockets(Filter& filter, const SandboxPolicy& policy) {
  // sendto() and sendmsg() can connect, too.
  filter.allow("sendto", {has(3, MSG_FASTOPEN, 0)});
  filter.allow("sendmsg", {has(2, MSG_FASTOPEN, 0)});
  filter.allow("sendmmsg", {has(3, MSG_FASTOPEN, 0)});
  constexpr std::uint64_t kind =
      std::numeric_limits<std::uint32_t>::max() & ~std::uint64_t{SOCK_CLOEXEC | SOCK_NONBLOCK};
  filter.allow("socket", {is(0, AF_NETLINK)});
  // if_indextoname() asks so.
  filter.allow("socket", {is(0, AF_UNIX), has(1, kind, SOCK_DGRAM)});
  filter.allow("ioctl", {is(1, SIOCGIFNAME)});
  if (policy.allow_outgoing_datagrams) {
    filter.allow("socket", {is(0, AF_INET), has(1, kind, SOCK_DGRAM)});
    filter.allow("socket", {is(0, AF_INET6), has(1, kind, SOCK_DGRAM)});
  }
  if (!policy.connect_to_ports.empty()) {
    filter.allow("socket", {is(0, AF_INET), has(1, kind, SOCK_STREAM)});
  }
  if (policy.allow_outgoing_datagrams || !policy.connect_to_ports.empty()) {
    filter.allow("connect");
  } else {
    // Netlink sockets. The address is in memory, out of seccomp's sight, but this length is too
    // short for TCP and UDP.
    filter.allow("connect", {is(2, sizeof(sockaddr_nl))});
  }
}

}  // namespace

void restrict_system_calls(const SandboxPolicy& policy) {
  Filter filter;
  for (const char* name : harmless) {
    filter.allow(name);
  }
  for (const char* name : unknown) {
    filter.pretend_unknown(name);
  }
  allow_reading_files(filter);
  allow_threads(filter);
  allow_memory(filter);
  allow_sockets(filter, policy);
  if (policy.allow_setns) {
    filter.allow("setns", {is(1, CLONE_NEWNET)});
  }
  filter.load();
}

}  // namespace inetdiag
