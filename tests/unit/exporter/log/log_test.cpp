#include "exporter/log/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/support/captured_log.h"

namespace inetdiag {
namespace {

using testing::CapturedLog;
using ::testing::MatchesRegex;

TEST(Log, WritesLogfmt) {
  const CapturedLog captured;
  captured.log.info("two words", {{"a", "plain"}, {"b", "b c"}, {"c", "q\"\n="}, {"d", ""}});
  EXPECT_THAT(captured.text(),
              MatchesRegex("ts=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z level=info "
                           "msg=\"two words\" a=plain b=\"b c\" c=\"q\\\\\"\\\\n=\" d=\"\"\n"));
}

TEST(Log, WritesJson) {
  const CapturedLog captured(LogFormat::json);
  captured.log.error("it \"fails\"", {{"path", "a\xFF\n"}});
  const auto line = nlohmann::json::parse(captured.text());
  EXPECT_EQ(line["level"], "error");
  EXPECT_EQ(line["msg"], "it \"fails\"");
  EXPECT_EQ(line["path"], "a\xEF\xBF\xBD\n");
  EXPECT_TRUE(line.contains("ts"));
}

TEST(Log, WritesPlainLines) {
  const CapturedLog captured(LogFormat::plain);
  captured.log.error("cannot read /x\x1b[2J\xff");
  captured.log.warn("flags have no effect", {{"flags", "--a --b"}, {"reason", "c"}});
  EXPECT_EQ(captured.text(),
            "inetdiag_exporter: cannot read /x?[2J?\n"
            "inetdiag_exporter: warning: flags have no effect (flags --a --b, reason c)\n");
}

TEST(Log, OmitsLinesBelowItsLevel) {
  const CapturedLog captured(LogFormat::logfmt, spdlog::level::warn);
  captured.log.debug("one");
  captured.log.info("two");
  captured.log.warn("three");
  captured.log.error("four");
  EXPECT_EQ(captured.count("level="), 2);
  EXPECT_EQ(captured.count("msg=three"), 1);
}

}  // namespace
}  // namespace inetdiag
