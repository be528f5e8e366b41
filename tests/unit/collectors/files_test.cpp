#include "collectors/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Files, ExportsOpenFilesAndTheirLimit) {
  CollectorFixture fixture;
  fixture.proc_tree.write("sys/fs/file-nr", "361\t0\t9223372036854775807\n");
  EXPECT_THAT(
      fixture.lines(*make_files({})),
      ElementsAre("inetdiag_open_files 361", "inetdiag_open_files_limit 9223372036854775808"));
}

TEST(Files, FailsWithoutThreeNumbers) {
  for (const char* text : {"", "361\t0\n", "many\t0\t7\n"}) {
    CollectorFixture fixture;
    fixture.proc_tree.write("sys/fs/file-nr", text);
    EXPECT_THAT(fixture.collect(*make_files({})).errors, ElementsAre(HasSubstr("file-nr")));
  }
}

}  // namespace
}  // namespace inetdiag
