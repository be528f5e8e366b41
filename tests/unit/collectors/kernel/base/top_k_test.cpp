#include "collectors/kernel/base/top_k.h"

#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Stream = std::vector<std::uint32_t>;
using Sketch = TopK<std::uint32_t>;

std::vector<std::string> texts(const std::vector<Sketch::Entry>& entries) {
  std::vector<std::string> texts;
  for (const auto& [key, at_most, at_least] : entries) {
    texts.push_back(std::to_string(key) + ": " + std::to_string(at_least) + " to " +
                    std::to_string(at_most));
  }
  return texts;
}

std::map<std::uint32_t, std::uint64_t> exact_counts(const Stream& stream) {
  std::map<std::uint32_t, std::uint64_t> counts;
  for (const std::uint32_t key : stream) {
    ++counts[key];
  }
  return counts;
}

/// Checks each guarantee in the comment of TopK.
void expect_guarantees(const Stream& stream, std::size_t capacity) {
  Sketch sketch(capacity);
  for (const std::uint32_t key : stream) {
    sketch.add(key);
  }
  const auto exact = exact_counts(stream);
  EXPECT_EQ(sketch.total(), stream.size());
  EXPECT_EQ(sketch.is_exact(), exact.size() <= capacity);
  EXPECT_LE(sketch.max_error(), stream.size() / capacity);
  EXPECT_EQ(sketch.size(), std::min(exact.size(), capacity));
  std::map<std::uint32_t, Sketch::Entry> kept;
  std::uint64_t sum = 0;
  for (const Sketch::Entry& entry : sketch.top(capacity)) {
    EXPECT_LE(entry.at_least, exact.at(entry.key)) << entry.key;
    EXPECT_GE(entry.at_most, exact.at(entry.key)) << entry.key;
    EXPECT_LE(entry.at_most - entry.at_least, sketch.max_error()) << entry.key;
    sum += entry.at_most;
    kept.emplace(entry.key, entry);
  }
  EXPECT_EQ(kept.size(), sketch.size());
  EXPECT_EQ(sum, sketch.total());
  for (const auto& [key, count] : exact) {
    if (!kept.contains(key)) {
      EXPECT_LE(count, sketch.max_error()) << key;
      EXPECT_LE(count, stream.size() / capacity) << key;
    }
  }
}

Stream uniform_stream(std::mt19937& dice, std::size_t length, std::uint32_t keys) {
  std::uniform_int_distribution<std::uint32_t> key(0, keys - 1);
  Stream stream(length);
  for (std::uint32_t& each : stream) {
    each = key(dice);
  }
  return stream;
}

/// Key `n` occurs about as often as 1 / n.
Stream skewed_stream(std::mt19937& dice, std::size_t length, std::uint32_t keys) {
  std::uniform_real_distribution<double> exponent(0, std::log(keys));
  Stream stream(length);
  for (std::uint32_t& each : stream) {
    each = static_cast<std::uint32_t>(std::exp(exponent(dice)));
  }
  return stream;
}

TEST(TopK, IsEmptyAtFirst) {
  const Sketch sketch(4);
  EXPECT_THAT(sketch.top(3), IsEmpty());
  EXPECT_EQ(sketch.total(), 0U);
  EXPECT_TRUE(sketch.is_exact());
}

TEST(TopK, IsExactWhileCountersAreFree) {
  Sketch sketch(3);
  for (const std::uint32_t key : Stream{7, 8, 7, 9, 9, 7}) {
    sketch.add(key);
  }
  EXPECT_TRUE(sketch.is_exact());
  EXPECT_THAT(texts(sketch.top(2)), ElementsAre("7: 3 to 3", "9: 2 to 2"));
  EXPECT_THAT(texts(sketch.top(9)), ElementsAre("7: 3 to 3", "9: 2 to 2", "8: 1 to 1"));
  EXPECT_THAT(sketch.top(0), IsEmpty());
}

TEST(TopK, TakesOverTheLowestCount) {
  Sketch sketch(2);
  for (const std::uint32_t key : Stream{1, 1, 1, 2, 3}) {
    sketch.add(key);
  }
  EXPECT_FALSE(sketch.is_exact());
  EXPECT_EQ(sketch.max_error(), 1U);
  EXPECT_THAT(texts(sketch.top(2)), ElementsAre("1: 3 to 3", "3: 1 to 2"));
}

TEST(TopK, OrdersEqualCountsByWhatIsCertainThenByKey) {
  Sketch sketch(3);
  for (const std::uint32_t key : Stream{5, 4, 6, 5, 4, 1}) {
    sketch.add(key);
  }
  EXPECT_THAT(texts(sketch.top(3)), ElementsAre("4: 2 to 2", "5: 2 to 2", "1: 1 to 2"));
}

TEST(TopK, HasOneCounter) { expect_guarantees({1, 2, 2, 3, 1, 2}, 1); }

TEST(TopK, KeepsItsGuaranteesForRandomStreams) {
  std::mt19937 dice(1);
  for (const std::size_t capacity : {1U, 2U, 7U, 64U, 1000U}) {
    for (const std::uint32_t keys : {3U, 100U, 5000U}) {
      expect_guarantees(uniform_stream(dice, 20'000, keys), capacity);
      expect_guarantees(skewed_stream(dice, 20'000, keys), capacity);
    }
  }
}

TEST(TopK, KeepsItsGuaranteesForAdversarialStreams) {
  constexpr std::uint32_t length = 20'000;
  constexpr std::uint32_t capacity = 50;
  Stream distinct;     // a flood from forged addresses
  Stream round_robin;  // one key more than counters, so that each replaces the next
  Stream late;         // the most frequent key comes last
  Stream hidden;       // between each two distinct keys the same one
  Stream rotated;      // evicted keys come back
  for (std::uint32_t i = 0; i < length; ++i) {
    distinct.push_back(i);
    round_robin.push_back(i % (capacity + 1));
    late.push_back(i < length - length / capacity - 1 ? i : length);
    hidden.push_back(i % 2 == 0 ? length : i);
    rotated.push_back(i / 3 % (2 * capacity));
  }
  for (const Stream& stream : {distinct, round_robin, late, hidden, rotated}) {
    expect_guarantees(stream, capacity);
  }
}

TEST(TopK, NeverLosesAKeyAboveItsShare) {
  constexpr std::size_t capacity = 100;
  constexpr std::uint32_t frequent = 1'000'000;
  std::mt19937 dice(2);
  for (int round = 0; round < 20; ++round) {
    Stream stream = uniform_stream(dice, 9'890, 1'000'000);
    stream.insert(stream.end(), 101, frequent);  // of 9991
    std::ranges::shuffle(stream, dice);
    Sketch sketch(capacity);
    for (const std::uint32_t key : stream) {
      sketch.add(key);
    }
    EXPECT_EQ(sketch.top(1).at(0).key, frequent);
    EXPECT_GE(sketch.top(1).at(0).at_most, 101U);
  }
}

TEST(TopK, CanBeMoved) {
  Sketch first(2);
  for (const std::uint32_t key : Stream{1, 2, 3}) {
    first.add(key);
  }
  Sketch second = std::move(first);
  for (const std::uint32_t key : Stream{4, 4, 5}) {
    second.add(key);
  }
  EXPECT_EQ(second.total(), 6U);
  EXPECT_EQ(second.size(), 2U);
}

}  // namespace
}  // namespace inetdiag::kernel
