#include "exporter/exposition/json_writer.h"

#include <algorithm>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "exporter/exposition/exact_integer.h"

namespace inetdiag {
namespace {

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

}  // namespace

void append_json_string(std::string& text, std::string_view value) {
  if (is_plain(value)) {  // the fast path for nearly all values
    text.push_back('"');
    text.append(value);
    text.push_back('"');
  } else {
    text.append(
        nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(text_, name);
  text_.append(is_indented_ ? ": " : ":");
  follows_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(text_, text);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  return is_exact_integer(number) ? value(static_cast<std::int64_t>(number)) : ratio(number);
}

JsonWriter& JsonWriter::ratio(double number) { return append(nlohmann::json(number).dump()); }

JsonWriter& JsonWriter::append(std::string_view json) {
  separate();
  text_.append(json);
  return *this;
}

JsonWriter& JsonWriter::begin(char bracket) {
  separate();
  text_.push_back(bracket);
  ++depth_;
  has_elements_ = false;
  return *this;
}

JsonWriter& JsonWriter::end(char bracket) {
  --depth_;
  if (has_elements_) {
    new_line();
  }
  text_.push_back(bracket);
  has_elements_ = true;
  return *this;
}

/// Separates the next element from the one before it, or from the bracket.
void JsonWriter::separate() {
  if (follows_key_) {
    follows_key_ = false;
    return;
  }
  if (has_elements_) {
    text_.push_back(',');
  }
  has_elements_ = true;
  if (depth_ > 0) {
    new_line();
  }
}

void JsonWriter::new_line() {
  if (is_indented_) {
    text_.append(1, '\n').append(2 * depth_, ' ');
  }
}

}  // namespace inetdiag
