// Passwords: what a header holds, and who is let in.
#include "exporter/http/basic_auth.h"

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using Answer = PasswordCheck::Answer;

// Made with htpasswd -nbBC 4.
const std::string hash_of_right = "$2y$04$IqjoBeBWarMLUA.VH5cNv.t188UQw.ZN0bkfCbcdZ2qqTzopF8mKW";
const std::string hash_of_other = "$2y$04$HPc1y75AJ54IuPIFheLZMuVIshKVX3E.JVQALNuA0SAQPDI.MQzi.";
const std::map<std::string, std::string> users = {{"scraper", hash_of_right},
                                                  {"operator", hash_of_other}};

TEST(BasicAuth, IsReadFromTheHeader) {
  for (const auto* header : {"Basic c2NyYXBlcjpyaWdodA==", "basic c2NyYXBlcjpyaWdodA==",
                             "BASIC   c2NyYXBlcjpyaWdodA=="}) {
    const auto given = parse_basic_auth(header);
    ASSERT_TRUE(given) << header;
    EXPECT_EQ(given->user, "scraper");
    EXPECT_EQ(given->password, "right");
  }
  EXPECT_EQ(parse_basic_auth("Basic YTpiOmM=")->password, "b:c");
  EXPECT_EQ(parse_basic_auth("Basic Og==")->user, "");
  EXPECT_EQ(parse_basic_auth("Basic YTr/AAE=")->password, (std::string("\xff\0\1", 3)));
}

TEST(BasicAuth, IsNothingWhereTheHeaderIsAnythingElse) {
  const std::string endless = "Basic " + std::string(100'000, 'A');
  for (const std::string& header :
       {std::string(), std::string("Basic"), std::string("Basic "), std::string("Bearer YTpi"),
        std::string("Basic YQ=="), std::string("Basic YTpi="), std::string("Basic YTpi===="),
        std::string("Basic Y:pi"), std::string("Basic YT pi"), std::string("Basic YTpi\n"),
        std::string("Basic ===="), std::string("BasicYTpi"), std::string("Basic YTpi,YTpi"),
        endless}) {
    EXPECT_FALSE(parse_basic_auth(header)) << header.substr(0, 40);
  }
}

TEST(PasswordCheck, LetsInWhoKnowsThePassword) {
  PasswordCheck passwords;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(passwords.check(users, {"scraper", "right"}), Answer::right);
    EXPECT_EQ(passwords.check(users, {"operator", "other"}), Answer::right);
    EXPECT_EQ(passwords.check(users, {"scraper", "other"}), Answer::wrong);
    EXPECT_EQ(passwords.check(users, {"operator", "right"}), Answer::wrong);
    EXPECT_EQ(passwords.check(users, {"nobody", "other"}), Answer::wrong);
    EXPECT_EQ(passwords.check(users, {"", ""}), Answer::wrong);
    EXPECT_EQ(passwords.check(users, {"scraper", std::string("right\0more", 10)}), Answer::wrong);
  }
}

TEST(PasswordCheck, ForgetsAPasswordWithItsHash) {
  PasswordCheck passwords;
  EXPECT_EQ(passwords.check(users, {"scraper", "right"}), Answer::right);
  EXPECT_EQ(passwords.check({{"scraper", hash_of_other}}, {"scraper", "right"}), Answer::wrong);
  EXPECT_EQ(passwords.check({{"scraper", hash_of_other}}, {"scraper", "other"}), Answer::right);
  EXPECT_EQ(passwords.check({{"operator", hash_of_other}}, {"scraper", "right"}), Answer::wrong);
}

// Guesses at a hash that takes long: more of them than are compared at a time.
TEST(PasswordCheck, KeepsWhoIsRememberedFromWaitingForGuesses) {
  constexpr unsigned max_comparing = 4;
  PasswordCheck passwords(max_comparing);
  EXPECT_EQ(passwords.check(users, {"scraper", "right"}), Answer::right);
  std::map<std::string, std::string> slow = users;
  slow["slow"] = "$2y$12" + hash_of_other.substr(6);
  std::vector<std::jthread> guesses;
  std::atomic<unsigned> busy = 0;
  std::atomic<unsigned> answered = 0;
  constexpr unsigned all = 8 * max_comparing;
  for (unsigned i = 0; i < all; ++i) {
    guesses.emplace_back([&, i] {
      const Answer answer = passwords.check(slow, {"slow", "guess" + std::to_string(i)});
      EXPECT_NE(answer, Answer::right);
      busy += answer == Answer::busy ? 1U : 0U;
      ++answered;
    });
  }
  while (answered < all) {
    EXPECT_EQ(passwords.check(slow, {"scraper", "right"}), Answer::right);
  }
  EXPECT_GT(busy, 0U);
}

}  // namespace
}  // namespace inetdiag
