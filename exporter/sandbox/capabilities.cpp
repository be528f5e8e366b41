#include "exporter/sandbox/capabilities.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace inetdiag {
namespace {

using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

void drop_capabilities(const std::vector<int>& kept) {
  // Two system calls do not justify a dependency on libcap.
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  Sets sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) {
    fail("capget");
  }
  // Without CAP_SETPCAP the bounding set stays; no_new_privs makes it harmless. The kernel may have
  // more capabilities than the headers of this build: EINVAL marks the end.
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (std::ranges::find(kept, capability) == kept.end()) {
      (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    }
  }
  (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  Sets remaining{};
  for (const int capability : kept) {
    const auto index = static_cast<std::size_t>(CAP_TO_INDEX(capability));
    const std::uint32_t mask = CAP_TO_MASK(static_cast<std::uint32_t>(capability));
    remaining.at(index).permitted |= sets.at(index).permitted & mask;
    remaining.at(index).effective |= sets.at(index).permitted & mask;
  }
  // A systemd unit may forbid capset(2): call it only if needed.
  const bool is_unchanged =
      std::ranges::equal(sets, remaining, [](const __user_cap_data_struct& a, const auto& b) {
        return a.effective == b.effective && a.permitted == b.permitted &&
               a.inheritable == b.inheritable;
      });
  if (is_unchanged) {
    return;
  }
  if (::syscall(SYS_capset, &header, remaining.data()) != 0) {
    fail("capset");
  }
}

}  // namespace inetdiag
