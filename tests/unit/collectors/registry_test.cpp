#include "collectors/registry.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::ThrowsMessage;

struct Fake final : Collector {
  Collection collect(const ScrapeContext& /*context*/) override { return {}; }
};

std::vector<std::string>& made() {
  static std::vector<std::string> values;
  return values;
}

std::unique_ptr<Collector> make_fake(const Settings& settings) {
  if (settings.list("filter") == std::vector<std::string>{"bad"}) {
    throw SettingError("filter", "'bad' is not good");
  }
  std::string values;
  for (const auto* name : {"filter", "names"}) {
    for (const std::string& value : settings.list(name)) {
      values.append(values.empty() ? "" : " ").append(value);
    }
  }
  made().push_back(values);
  return std::make_unique<Fake>();
}

constexpr auto setting_specs = std::to_array<SettingSpec>({
    {.name = "filter",
     .placeholder = "TEXT",
     .help = "",
     .default_value = "everything",
     .netns_default = NetnsDefault{.value = "something", .description = "some"}},
    {.name = "names",
     .placeholder = "NAME",
     .help = "",
     .default_value = "",
     .is_repeatable = true},
});
constexpr auto entries = std::to_array<CollectorEntry>({
    {"host", "", true, setting_specs, make_fake, NetnsMode::host_wide},
    {"shared", "", true, setting_specs, make_fake, NetnsMode::stateless},
    {"off", "", false, setting_specs, make_fake, NetnsMode::stateful},
});
using Choices = std::array<CollectorChoice, entries.size()>;

std::vector<std::string> names(const Choices& choices, bool use_defaults = true,
                               const NetnsOptions& netns = {}) {
  made().clear();
  std::vector<std::string> names;
  for (const auto& collector : make_collectors(entries, choices, use_defaults, netns, "/proc")) {
    names.push_back(collector.name);
  }
  return names;
}

TEST(MakeCollectors, EnablesTheDefaultsUnlessTheUserChoosesOtherwise) {
  EXPECT_THAT(names({}), ElementsAre("host", "shared"));
  Choices choices;
  choices[0].is_enabled = false;
  choices[2].is_enabled = true;
  EXPECT_THAT(names(choices), ElementsAre("shared", "off"));
  EXPECT_THAT(names(choices, false), ElementsAre("off"));
}

TEST(MakeCollectors, AppendsTheNetnsCollector) {
  NetnsOptions netns;
  netns.discovery = Discovery::pinned;
  EXPECT_THAT(names({}, true, netns), ElementsAre("host", "shared", "netns"));
}

TEST(MakeCollectors, FailsIfNoCollectorIsEnabled) {
  EXPECT_THAT([] { names({}, false); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("no collector is enabled")));
}

TEST(MakeCollectors, PassesDefaultsAndChosenValues) {
  Choices choices;
  choices[1].is_enabled = false;
  names(choices);
  EXPECT_THAT(made(), ElementsAre("everything"));
  choices[0].settings = {{"filter", {"mine"}}, {"names", {"a", "b"}}};
  names(choices);
  EXPECT_THAT(made(), ElementsAre("mine a b"));
}

TEST(MakeCollectors, PassesValuesOfOtherNamespacesToTheirInstance) {
  Choices choices;
  choices[0].is_enabled = false;
  choices[1].settings = {{"filter", {"mine"}}, {"names", {"a"}}};
  names(choices);
  EXPECT_THAT(made(), ElementsAre("mine a", "something a"));
  choices[1].netns_settings = {{"filter", {"theirs"}}};
  names(choices);
  EXPECT_THAT(made(), ElementsAre("mine a", "theirs a"));
}

TEST(MakeCollectors, NamesTheFlagOfAnInvalidValue) {
  Choices choices;
  choices[1].settings = {{"filter", {"bad"}}};
  EXPECT_THAT([&] { names(choices); },
              ThrowsMessage<std::invalid_argument>("--collector.shared.filter: 'bad' is not good"));
  choices[1].settings = {};
  choices[1].netns_settings = {{"filter", {"bad"}}};
  EXPECT_THAT([&] { names(choices); },
              ThrowsMessage<std::invalid_argument>("--netns.shared.filter: 'bad' is not good"));
}

TEST(MakeCollectors, IgnoresSettingsOfDisabledCollectors) {
  Choices choices;
  choices[2].settings = {{"filter", {"bad"}}};
  EXPECT_NO_THROW(names(choices));
}

TEST(Registry, HasUniqueNamesAndMakesEachCollector) {
  std::vector<CollectorChoice> choices(registry().size());
  for (CollectorChoice& choice : choices) {
    choice.is_enabled = true;
  }
  std::vector<std::string> all;
  for (const auto& collector : make_collectors(registry(), choices, true, {}, "/proc")) {
    all.push_back(collector.name);
  }
  EXPECT_THAT(all, IsSupersetOf({"listeners", "nstat", "tcp", "udp", "unix"}));
  EXPECT_EQ(all.size(), registry().size());
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
}

}  // namespace
}  // namespace inetdiag
