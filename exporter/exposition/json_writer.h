#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace inetdiag {

/// Writes one JSON document (RFC 8259) to a string, value by value. Builds no tree: the destructor
/// of nlohmann::json allocates, which terminates the program when memory is exhausted.
class JsonWriter {
 public:
  enum class Layout { compact, indented };  ///< indented by two spaces

  explicit JsonWriter(std::string& text, Layout layout = Layout::compact)
      : text_(text), is_indented_(layout == Layout::indented) {}

  JsonWriter& begin_object() { return begin('{'); }
  JsonWriter& end_object() { return end('}'); }
  JsonWriter& begin_array() { return begin('['); }
  JsonWriter& end_array() { return end(']'); }
  JsonWriter& key(std::string_view name);

  /// Replaces bytes that are not UTF-8.
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool boolean) { return append(boolean ? "true" : "false"); }
  /// Writes integers up to 2^53 without a fraction, and null for NaN and infinity.
  JsonWriter& value(double number);
  JsonWriter& value(std::integral auto number) { return append(std::to_string(number)); }
  JsonWriter& value(std::nullopt_t /*null*/) { return append("null"); }
  template <typename Value>
  JsonWriter& value(const std::optional<Value>& optional) {
    return optional ? value(*optional) : value(std::nullopt);
  }
  /// Writes a fraction even if it is 0: `1.0`.
  JsonWriter& ratio(double number);

  template <typename Value>
  JsonWriter& field(std::string_view name, const Value& content) {
    return key(name).value(content);
  }

 private:
  JsonWriter& begin(char bracket);
  JsonWriter& end(char bracket);
  JsonWriter& append(std::string_view json);
  void separate();
  void new_line();

  std::string& text_;
  bool is_indented_;
  std::size_t depth_ = 0;
  bool has_elements_ = false;  ///< in the innermost object or array
  bool follows_key_ = false;
};

/// Appends `value` in quotes, escaped; replaces bytes that are not UTF-8.
void append_json_string(std::string& text, std::string_view value);

}  // namespace inetdiag
