// Who is not let in, and what the log says of it.
#include "exporter/http/auth_handler.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// A page behind the password `right` of the user `scraper`.
struct Door {
  Door() {
    // Made with htpasswd -nbBC 4.
    tree.write("web.yml",
               "basic_auth_users:\n"
               "  scraper: $2y$04$IqjoBeBWarMLUA.VH5cNv.t188UQw.ZN0bkfCbcdZ2qqTzopF8mKW\n");
    access.emplace(
        std::make_shared<WebConfigWatcher>(tree.path("web.yml").string(), captured.log),
        [](const HttpRequest& /*request*/) { return HttpResponse{}; }, captured.log);
  }

  int ask(const std::string& authorization) {
    const auto header = [&](const char* /*name*/) { return authorization; };
    return access->answer({"GET", "/", "", header, "192.0.2.7 port 4711"}).status;
  }

  testing::TemporaryTree tree;
  testing::CapturedLog captured;
  std::optional<AuthHandler> access;
};

TEST(AuthHandler, TellsOfAWrongPassword) {
  Door door;
  EXPECT_EQ(door.ask("Basic c2NyYXBlcjpndWVzcw=="), 401);  // scraper:guess
  EXPECT_THAT(door.captured.text(),
              AllOf(HasSubstr("level=warn msg=\"client not let in\" client=\"192.0.2.7 port "
                              "4711\" error=\"wrong password\" user=scraper suppressed=0"),
                    Not(HasSubstr("guess"))));
}

TEST(AuthHandler, TellsOfAnUnknownUserAsFarAsItIsHarmless) {
  Door door;
  // "a\nb\x1b\xff" and 40 times x, and a password
  EXPECT_EQ(door.ask("Basic YQpiG/94eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4Omd1ZXNz"),
            401);
  EXPECT_THAT(door.captured.text(),
              AllOf(HasSubstr("error=\"unknown user\" user=a?b??" + std::string(27, 'x') + "... "),
                    Not(HasSubstr("guess"))));
}

TEST(AuthHandler, TellsOfAHeaderThatItCannotRead) {
  Door door;
  EXPECT_EQ(door.ask("Bearer token"), 401);
  EXPECT_THAT(door.captured.text(),
              AllOf(HasSubstr("error=\"the header Authorization is not"), Not(HasSubstr("token"))));
}

TEST(AuthHandler, TellsNothingOfWhoIsLetInOrAsksWithoutAPassword) {
  Door door;
  EXPECT_EQ(door.ask("Basic c2NyYXBlcjpyaWdodA=="), 200);
  EXPECT_EQ(door.ask(""), 401);
  EXPECT_EQ(door.captured.text(), "");
}

TEST(AuthHandler, TellsOfOneAmongManyGuesses) {
  Door door;
  for (int i = 0; i < 20; ++i) {
    door.ask("Basic c2NyYXBlcjpndWVzcw==");
  }
  EXPECT_EQ(door.captured.count("client not let in"), 1);
}

TEST(LogRateLimiter, CountsThoseWithoutATurn) {
  LogRateLimiter rarely;
  const auto begin = LogRateLimiter::Clock::now();
  EXPECT_EQ(rarely.try_acquire(begin), 0U);
  EXPECT_EQ(rarely.try_acquire(begin + 1s), std::nullopt);
  EXPECT_EQ(rarely.try_acquire(begin + 9s), std::nullopt);
  EXPECT_EQ(rarely.try_acquire(begin + 10s), 2U);
  EXPECT_EQ(rarely.try_acquire(begin + 20s), 0U);
}

}  // namespace
}  // namespace inetdiag
