#include "collectors/kernel/proc/capabilities.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

namespace inetdiag {
namespace {

using kernel::has_capability;

TEST(HasCapability, ReadsTheEffectiveSet) {
  // A container with CAP_SYS_PTRACE (19) and CAP_SYS_ADMIN (21).
  constexpr const char* status =
      "Name:\tx\nCapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\n"
      "CapEff:\t0000000000280000\nCapBnd:\t000001ffffffffff\n";
  EXPECT_TRUE(has_capability(status, CAP_SYS_PTRACE));
  EXPECT_TRUE(has_capability(status, CAP_SYS_ADMIN));
  EXPECT_FALSE(has_capability(status, CAP_NET_ADMIN));
  EXPECT_FALSE(has_capability(status, 64));
}

TEST(HasCapability, IsFalseForMalformedStatus) {
  for (const auto* status : {"", "CapEff", "CapEff:", "CapEff:\tall\n", "CapPrm:\tffffffff\n"}) {
    EXPECT_FALSE(has_capability(status, CAP_SYS_ADMIN)) << status;
  }
}

}  // namespace
}  // namespace inetdiag
