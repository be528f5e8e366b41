#include "exporter/diagnosis/status_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag::diagnosis {
namespace {

using ::testing::IsEmpty;

Status changing_status(std::vector<Finding> findings) {
  Status status{};
  status.host = "db7";
  status.findings = std::move(findings);
  status.collectors = {{.name = "listeners", .success = true}};
  return status;
}

Finding changing_finding(Severity severity, const std::string& name = "0.0.0.0:443") {
  return {.severity = severity,
          .rule = "accept_queue_full",
          .affected = {.kind = "listener", .name = name},
          .summary = "The accept queue is full."};
}

constexpr const char* epoch = "1970-01-01 00:00:00 UTC ";

TEST(StatusChanges, BeginWithTheHeadline) {
  EXPECT_EQ(status_changes(nullptr, changing_status({})),
            std::string(epoch) + "db7: All queues have room.\n");
}

TEST(StatusChanges, ReportBeginChangeAndEnd) {
  const Status none = changing_status({});
  const Status warning = changing_status({changing_finding(Severity::warning)});
  const Status critical = changing_status({changing_finding(Severity::critical)});
  EXPECT_THAT(status_changes(&none, none), IsEmpty());
  EXPECT_EQ(status_changes(&none, warning),
            std::string(epoch) + "WARNING 0.0.0.0:443: The accept queue is full.\n");
  EXPECT_THAT(status_changes(&warning, warning), IsEmpty());
  EXPECT_EQ(status_changes(&warning, critical),
            std::string(epoch) + "CRITICAL 0.0.0.0:443: The accept queue is full.\n");
  EXPECT_EQ(status_changes(&critical, none),
            std::string(epoch) + "RESOLVED 0.0.0.0:443: accept_queue_full\n");
}

TEST(StatusChanges, ReplaceControlCharacters) {
  const Status none = changing_status({});
  EXPECT_EQ(
      status_changes(&none, changing_status({changing_finding(Severity::notice, "a\n\x1b[2J")})),
      std::string(epoch) + "NOTICE a??[2J: The accept queue is full.\n");
}

}  // namespace
}  // namespace inetdiag::diagnosis
