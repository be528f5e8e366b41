#include "exporter/exposition/json_writer.h"

#include <chrono>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "exporter/exposition/rfc3339.h"

namespace inetdiag {
namespace {

void write_document(JsonWriter& json) {
  json.begin_object();
  json.field("text", "a \"b\"");
  json.key("numbers").begin_array().value(1).value(-2.0).value(0.5).ratio(1).end_array();
  json.key("empty").begin_object().end_object();
  json.key("none").begin_array().end_array();
  json.key("nested").begin_array().begin_object().field("a", true).end_object().end_array();
  json.field("absent", std::optional<double>());
  json.end_object();
}

TEST(JsonWriter, WritesCompactJson) {
  std::string text;
  JsonWriter json(text);
  write_document(json);
  EXPECT_EQ(text, R"({"text":"a \"b\"","numbers":[1,-2,0.5,1.0],"empty":{},"none":[],)"
                  R"("nested":[{"a":true}],"absent":null})");
}

TEST(JsonWriter, IndentsLikeNlohmann) {
  std::string text;
  JsonWriter json(text, JsonWriter::Layout::indented);
  write_document(json);
  EXPECT_EQ(text, nlohmann::ordered_json::parse(text).dump(2));
}

TEST(JsonWriter, EscapesLikeNlohmann) {
  for (const std::string& value : {std::string("plain"), std::string("\"\\\n\t\x01\x7f"),
                                   std::string("\xC3\xA4"), std::string("a\0b", 3)}) {
    std::string text;
    append_json_string(text, value);
    EXPECT_EQ(text, nlohmann::json(value).dump());
  }
}

TEST(JsonWriter, ReplacesBytesThatAreNotUtf8) {
  std::string text;
  append_json_string(text, "a\xFF");
  EXPECT_EQ(text, "\"a\xEF\xBF\xBD\"");
}

TEST(JsonWriter, WritesNumbers) {
  const auto written = [](double value) {
    std::string text;
    JsonWriter(text).value(value);
    return text;
  };
  EXPECT_EQ(written(9007199254740992.0), "9007199254740992");
  EXPECT_EQ(written(1e300), "1e+300");
  EXPECT_EQ(written(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(written(-std::numeric_limits<double>::infinity()), "null");
}

TEST(Rfc3339, WritesUtc) {
  const std::chrono::system_clock::time_point time{std::chrono::milliseconds{1'700'000'000'042}};
  EXPECT_EQ(rfc3339(time), "2023-11-14T22:13:20Z");
  EXPECT_EQ(rfc3339_with_milliseconds(time), "2023-11-14T22:13:20.042Z");
}

}  // namespace
}  // namespace inetdiag
