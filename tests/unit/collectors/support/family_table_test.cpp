#include "collectors/support/family_table.h"

#include <array>
#include <cstdint>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Row {
  std::uint64_t length;
  std::optional<std::uint64_t> drops;
};

using enum prometheus::MetricType;

constexpr auto specs = std::to_array<FamilySpec<Row>>({
    {Gauge, "queue_length", "Length.", field<&Row::length>},
    {Counter, "queue_drops_total", "Drops.", field<&Row::drops>},
    {Gauge, "queue_is_long", "Whether it is long.",
     [](const Row& row) { return sample(row.length > 1); }},
});

TEST(FamilyTable, AddsASeriesToEachFamily) {
  FamilyTable<Row> table(specs);
  table.add({{"port", "80"}}, {.length = 1, .drops = 2});
  table.add({{"port", "81"}}, {.length = 3, .drops = 4});
  const auto families = table.take();
  EXPECT_THAT(testing::lines_of(families),
              ElementsAre(R"(queue_length{port="80"} 1)", R"(queue_length{port="81"} 3)",
                          R"(queue_drops_total{port="80"} 2)", R"(queue_drops_total{port="81"} 4)",
                          R"(queue_is_long{port="80"} 0)", R"(queue_is_long{port="81"} 1)"));
  EXPECT_EQ(families[0].help, "Length.");
  EXPECT_EQ(families[0].type, Gauge);
  EXPECT_EQ(families[1].type, Counter);
}

TEST(FamilyTable, OmitsTheSeriesOfARowWithoutAValue) {
  FamilyTable<Row> table(specs);
  table.add({}, {.length = 1, .drops = std::nullopt});
  EXPECT_THAT(testing::lines_of(table.take()), ElementsAre("queue_length 1", "queue_is_long 0"));
}

TEST(FamilyTable, HasNoSeriesWithoutRows) {
  EXPECT_THAT(testing::lines_of(FamilyTable<Row>(specs).take()), IsEmpty());
}

}  // namespace
}  // namespace inetdiag
