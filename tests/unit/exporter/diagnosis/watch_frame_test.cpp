#include "exporter/diagnosis/watch_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/diagnosis/terminal.h"

namespace inetdiag::diagnosis {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Lines = std::vector<std::string>;

QueueFill accept_queue(const std::string& name, double used, const std::string& owner = "") {
  return {.key = {.name = name}, .owner = owner, .used = used, .limit = 129, .ratio = used / 129};
}

Finding full_queue(const std::string& name) {
  return {.severity = Severity::critical,
          .rule = "accept_queue_full",
          .affected = {.kind = "listener", .name = name},
          .summary = "The accept queue is full: 129 of 129 places.",
          .action = "Find out why the program does not accept."};
}

Status watched_status(std::vector<Finding> findings = {}) {
  Status status{};
  status.host = "db7";
  status.seconds_since_previous = 2;
  status.findings = std::move(findings);
  status.collectors = {{.name = "listeners", .success = true}};
  return status;
}

FillHistory filled_history(const std::vector<QueueFill>& queues) {
  FillHistory history(2, 100);
  history.add(queues);
  return history;
}

Lines frame_of(const Status& status, const std::vector<QueueFill>& queues,
               const WatchView& view = {}) {
  return watch_frame(status, queues, filled_history(queues), view);
}

TEST(WatchFrame, ShowsHostVerdictFindingsAndQueues) {
  const Lines lines = frame_of(
      watched_status({full_queue("0.0.0.0:443")}),
      {accept_queue("0.0.0.0:80", 0), accept_queue("0.0.0.0:443", 129, "haproxy.service")});
  ASSERT_THAT(lines, SizeIs(10));
  EXPECT_THAT(lines[0],
              AllOf(StartsWith("db7  1970-01-01 00:00:00 UTC  every 2 s"), EndsWith("q: quit")));
  EXPECT_EQ(lines[1], "0.0.0.0:443 has a full accept queue");
  EXPECT_EQ(lines[3], "CRITICAL  0.0.0.0:443");
  EXPECT_EQ(lines[4], "  The accept queue is full: 129 of 129 places.");
  EXPECT_EQ(lines[5], "  Find out why the program does not accept.");
  EXPECT_THAT(lines[7], AllOf(HasSubstr("length/limit"), EndsWith("last 60 s")));
  EXPECT_THAT(lines[8], AllOf(StartsWith("accept 0.0.0.0:443 haproxy"),
                              HasSubstr("129/129 [##########] 100 %"), EndsWith("█")));
  EXPECT_THAT(lines[9], AllOf(StartsWith("accept 0.0.0.0:80 "), EndsWith("▁")));
}

TEST(WatchFrame, HasNoVerdictBeforeTheSecondSnapshot) {
  Status status = watched_status();
  status.seconds_since_previous.reset();
  EXPECT_EQ(frame_of(status, {accept_queue("0.0.0.0:443", 129)})[1],
            "Findings follow with the next snapshot.");
}

TEST(WatchFrame, FitsEverySize) {
  std::vector<QueueFill> queues;
  std::vector<Finding> findings;
  for (int i = 0; i < 20; ++i) {
    const std::string name = "[2001:db8:1234:5678:9abc:def0:1234:5678]:" + std::to_string(i);
    queues.push_back(accept_queue(name, i, "a-service-with-a-rather-long-name.service"));
    queues.push_back({.key = {.kind = QueueKind::udp, .netns = "cni-1", .name = name},
                      .pod = "shop/受付-0",
                      .used = 123'456'789,
                      .limit = 987'654'321,
                      .ratio = 0.125,
                      .is_bytes = true});
    findings.push_back(full_queue(name));
  }
  for (const std::size_t finding_count : {0U, 1U, 20U}) {
    const Status status =
        watched_status({findings.begin(), findings.begin() + static_cast<int>(finding_count)});
    for (std::size_t columns = 1; columns < 130; columns += 3) {
      for (const std::size_t rows : {1U, 2U, 3U, 5U, 6U, 8U, 16U, 24U, 60U}) {
        for (const bool is_utf8 : {false, true}) {
          const Lines lines =
              frame_of(status, queues, {.columns = columns, .rows = rows, .is_utf8 = is_utf8});
          ASSERT_LE(lines.size(), rows) << columns;
          ASSERT_FALSE(lines.empty());
          for (const std::string& line : lines) {
            ASSERT_LE(display_width(line), columns) << rows << ": " << line;
          }
        }
      }
    }
  }
}

TEST(WatchFrame, ShowsTheFullestQueueInThreeRows) {
  const Lines lines =
      frame_of(watched_status({full_queue("10.20.30.40:8443")}),
               {accept_queue("10.20.30.40:8080", 1), accept_queue("10.20.30.40:8443", 129)},
               {.columns = 20, .rows = 3});
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[2], "10.20.…40:8443 100 %");
}

TEST(WatchFrame, CountsTheQueuesThatDoNotFit) {
  std::vector<QueueFill> queues;
  for (int i = 0; i < 100; ++i) {
    queues.push_back(accept_queue("0.0.0.0:" + std::to_string(i), i < 30 ? 100 - i : 0));
  }
  const Lines some = frame_of(watched_status(), queues, {.rows = 24});
  EXPECT_THAT(some, SizeIs(24));
  EXPECT_EQ(some.back(), "and 81 more queues, 11 of them not empty");
  EXPECT_EQ(frame_of(watched_status(), queues, {.rows = 50}).back(),
            "and 55 more queues, all empty");
}

TEST(WatchFrame, CountsTheFindingsThatDoNotFit) {
  std::vector<Finding> findings(40, full_queue("0.0.0.0:443"));
  const Lines lines = frame_of(watched_status(findings), {accept_queue("0.0.0.0:443", 129)});
  EXPECT_THAT(lines, Contains(HasSubstr("more findings")));
  EXPECT_THAT(lines, Contains(StartsWith("accept 0.0.0.0:443")));
}

TEST(WatchFrame, ShortensTheMiddleOfANameToKeepThePort) {
  const std::string name = "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535";
  const Lines lines = frame_of(watched_status(), {accept_queue(name, 5, "postgresql.service")});
  EXPECT_THAT(lines.back(), AllOf(HasSubstr("[2001:"), HasSubstr("…"), HasSubstr(":65535 ")));
}

TEST(WatchFrame, SendsNoControlCharactersToTheTerminal) {
  const std::string hostile =
      "\x1b]0;title\x07\x9b"
      "2J\xC2\x9B\xE0\x82\x9B\xE2\x80\xAE\n\r";
  Status status = watched_status({full_queue(hostile)});
  status.host = hostile;
  status.findings[0].summary = hostile;
  status.findings[0].action = hostile;
  QueueFill queue = accept_queue(hostile, 129, hostile);
  queue.key.netns = hostile;
  queue.pod = hostile;
  for (const bool is_utf8 : {false, true}) {
    for (const std::size_t columns : {20U, 80U, 200U}) {
      for (const std::string& line :
           frame_of(status, {queue}, {.columns = columns, .is_utf8 = is_utf8})) {
        EXPECT_EQ(line, replace_controls(line));
        EXPECT_TRUE(is_utf8 || line == replace_non_ascii(line)) << line;
      }
    }
  }
}

TEST(WatchFrame, IsColoredOnRequest) {
  const Status status = watched_status({full_queue("0.0.0.0:443")});
  const std::vector<QueueFill> queues = {accept_queue("0.0.0.0:443", 129)};
  EXPECT_THAT(frame_of(status, queues), Each(Not(HasSubstr("\x1b"))));
  EXPECT_THAT(frame_of(status, queues, {.use_color = true}),
              AllOf(Contains("\x1b[1;31mCRITICAL  0.0.0.0:443\x1b[0m"),
                    Contains(StartsWith("\x1b[1;31maccept 0.0.0.0:443"))));
}

TEST(WatchFrame, UsesAsciiWithoutUtf8) {
  const Lines lines =
      frame_of(watched_status(), {accept_queue("@bücher", 129)}, {.columns = 60, .is_utf8 = false});
  EXPECT_THAT(lines.back(), AllOf(HasSubstr("@b?cher"), EndsWith("#")));
}

TEST(WatchFrame, OmitsEmptyQueuesOfOtherKinds) {
  QueueFill queue = accept_queue("/run/idle.sock", 0);
  queue.key.kind = QueueKind::unix_accept;
  EXPECT_THAT(frame_of(watched_status(), {queue}), Not(Contains(HasSubstr("idle.sock"))));
  FillHistory history(2, 100);
  QueueFill filled = queue;
  filled.ratio = 0.5;
  history.add({filled});
  history.add({queue});
  EXPECT_THAT(watch_frame(watched_status(), {queue}, history, {}),
              Contains(HasSubstr("idle.sock")));
}

TEST(Sparkline, HasTheLowestLevelForEmptyAndTheHighestForFullOnly) {
  EXPECT_EQ(sparkline({0, 0.001, 0.5, 0.999, 1, 2}, 30, true), std::string(24, ' ') + "▁▂▅▇██");
  EXPECT_EQ(sparkline({0, 0.001, 0.5, 0.999, 1}, 30, false), std::string(25, ' ') + "_.=*#");
  EXPECT_THAT(sparkline({1}, 0, true), IsEmpty());
}

TEST(Sparkline, ShowsTheMaximumOfAGroup) {
  std::vector<double> ratios(FillHistory::slots, 0);
  ratios[28] = 1;
  EXPECT_EQ(sparkline(ratios, 15, false), std::string(14, '_') + "#");
}

}  // namespace
}  // namespace inetdiag::diagnosis
