#include "collectors/route_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// An exporter on a kernel of this release.
struct Release : CollectorFixture {
  explicit Release(const char* release, const char* max_size = "4096\n") {
    proc_tree.write("sys/kernel/osrelease", release);
    proc_tree.write("sys/net/ipv6/route/max_size", max_size);
    proc_tree.write("net/rt6_stats", "0009 0006 0012 0007 0000 00ff 0000\n");
  }
  std::vector<std::string> page() { return lines(*make_route_cache({})); }
};

TEST(RouteCache, HasALimitBeforeLinux6_3) {
  EXPECT_THAT(Release("6.2.0-1-amd64\n").page(),
              ElementsAre("inetdiag_route_cache_entries 255", "inetdiag_route_cache_limit 4096"));
  EXPECT_THAT(Release("5.10.0-28-amd64\n").page(), ::testing::SizeIs(2));
}

TEST(RouteCache, HasNoLimitLaterOrIfItIsTheMaximum) {
  EXPECT_THAT(Release("6.3.0\n").page(), IsEmpty());
  EXPECT_THAT(Release("6.18.44\n").page(), IsEmpty());
  EXPECT_THAT(Release("10.0\n").page(), IsEmpty());
  EXPECT_THAT(Release("5.10.0\n", "2147483647\n").page(), IsEmpty());
  EXPECT_THAT(Release("unknown\n").page(), IsEmpty());
}

TEST(RouteCache, FailsIfTheEntriesAreMissing) {
  Release old("5.10.0\n");
  old.proc_tree.write("net/rt6_stats", "0009 0006\n");
  EXPECT_THAT(old.collect(*make_route_cache({})).errors, ElementsAre(HasSubstr("rt6_stats")));
}

}  // namespace
}  // namespace inetdiag
