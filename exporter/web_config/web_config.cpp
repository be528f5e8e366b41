#include "exporter/web_config/web_config.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <set>
#include <span>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "collectors/kernel/base/text.h"

namespace inetdiag {
namespace {

constexpr std::size_t max_file_bytes = 1U << 20U;

[[noreturn]] void fail(const YAML::Mark& mark, const std::string& message) {
  // yaml-cpp counts lines from 0; a node that is not in the text has no mark.
  throw WebConfigError(mark.is_null() ? message
                                      : "line " + std::to_string(mark.line + 1) + ": " + message);
}

template <typename T>
struct Named {
  std::string_view name;
  T value;
};

/// The names of a table's entries, for "expected one of ...".
template <typename Table>
std::string names_of(const Table& table) {
  std::string names;
  for (const auto& entry : table) {
    names.append(names.empty() ? "" : ", ").append(entry.name);
  }
  return names;
}

/// Records where the last document starts.
class DocumentStarts : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { last = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnAlias(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnScalar(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& /*value*/) override {}
  void OnSequenceStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/,
                       YAML::anchor_t /*anchor*/, YAML::EmitterStyle::value /*style*/) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {}
  void OnMapEnd() override {}

  YAML::Mark last;
};

/// yaml-cpp parses a token that cannot start a document, such as a comma, as an empty document
/// without consuming it: LoadAll() would not terminate, and Load() would ignore the rest.
YAML::Node load_only_document(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStarts starts;
  if (parser.HandleNextDocument(starts) && parser.HandleNextDocument(starts)) {
    fail(starts.last, "expected the end of the file: only one document is allowed");
  }
  return YAML::Load(text);
}

/// The value of a field.
class Value {
 public:
  Value(std::string name, const YAML::Node& node) : name_(std::move(name)), node_(node) {}

  [[noreturn]] void reject(const std::string& reason) const {
    fail(node_.Mark(), name_ + ": " + reason);
  }

  std::string text() const {
    if (node_.IsNull()) {
      return {};
    }
    if (!node_.IsScalar()) {
      reject("must be a string");
    }
    return node_.Scalar();
  }

  bool boolean() const {
    bool value = false;
    if (!node_.IsScalar() || !YAML::convert<bool>::decode(node_, value)) {
      reject("must be true or false");
    }
    return value;
  }

  std::int64_t integer() const {
    if (node_.IsNull()) {
      return 0;
    }
    const auto value = kernel::to_number<std::int64_t>(text());
    if (!value) {
      reject("must be an integer");
    }
    return *value;
  }

  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    if (node_.IsNull()) {
      return all;
    }
    if (!node_.IsSequence()) {
      reject("must be a list");
    }
    for (const YAML::Node& item : node_) {
      all.push_back(Value(name_, item).text());
    }
    return all;
  }

  template <typename T, std::size_t size>
  T one_of(const std::array<Named<T>, size>& table) const {
    return find(table, text());
  }

  template <typename T, std::size_t size>
  std::vector<T> some_of(const std::array<Named<T>, size>& table) const {
    std::vector<T> all;
    for (const std::string& name : texts()) {
      all.push_back(find(table, name));
    }
    return all;
  }

  /// Calls `read` for each field. Throws if a field is duplicate.
  void for_each(
      const std::function<void(const std::string& name, const Value& value)>& read) const {
    if (node_.IsNull()) {
      return;
    }
    if (!node_.IsMap()) {
      reject("must be a mapping");
    }
    std::set<std::string> seen;
    for (const auto& field : node_) {
      if (!field.first.IsScalar()) {
        fail(field.first.Mark(), name_ + ": keys must be strings");
      }
      const std::string name = field.first.Scalar();
      if (!seen.insert(name).second) {
        fail(field.first.Mark(), "duplicate field '" + name + "' in " + name_);
      }
      read(name, Value(name, field.second));
    }
  }

  const YAML::Node& node() const { return node_; }

 private:
  template <typename T, std::size_t size>
  T find(const std::array<Named<T>, size>& table, const std::string& name) const {
    const auto* const found = std::ranges::find(table, name, &Named<T>::name);
    if (found == table.end()) {
      reject("invalid value '" + name + "', expected one of " + names_of(table));
    }
    return found->value;
  }

  std::string name_;
  YAML::Node node_;
};

/// Reads each field of a mapping.
using Fields = std::vector<Named<std::function<void(const Value&)>>>;

void read_fields(const Value& map, const std::string& where, const Fields& fields) {
  map.for_each([&](const std::string& name, const Value& value) {
    const auto found = std::ranges::find(fields, name, &Fields::value_type::name);
    if (found != fields.end()) {
      found->value(value);
      return;
    }
    fail(value.node().Mark(),
         "unknown field '" + name + "' in " + where + ", expected one of " + names_of(fields));
  });
}

constexpr std::array<Named<ClientAuth>, 7> client_auths = {{
    {"NoClientCert", ClientAuth::none},
    {"", ClientAuth::none},
    {"RequestClientCert", ClientAuth::request},
    {"RequireAnyClientCert", ClientAuth::require_any},
    {"RequireClientCert", ClientAuth::require_any},
    {"VerifyClientCertIfGiven", ClientAuth::verify_if_given},
    {"RequireAndVerifyClientCert", ClientAuth::require_and_verify},
}};

constexpr std::array<Named<TlsVersion>, 4> versions = {{
    {"TLS10", TlsVersion::tls10},
    {"TLS11", TlsVersion::tls11},
    {"TLS12", TlsVersion::tls12},
    {"TLS13", TlsVersion::tls13},
}};

constexpr std::array<Named<std::string_view>, 4> curves = {{
    {"CurveP256", "P-256"},
    {"CurveP384", "P-384"},
    {"CurveP521", "P-521"},
    {"X25519", "X25519"},
}};

// Go's tls.CipherSuites(). Those of TLS 1.3 are always enabled, as in Go.
constexpr std::array<Named<std::string_view>, 13> cipher_suites = {{
    {"TLS_AES_128_GCM_SHA256", ""},
    {"TLS_AES_256_GCM_SHA384", ""},
    {"TLS_CHACHA20_POLY1305_SHA256", ""},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
}};

class TlsReader {
 public:
  TlsReader(std::string directory, std::vector<std::string>& warnings)
      : directory_(std::move(directory)), warnings_(warnings) {}

  std::optional<TlsConfig> read(const Value& map) {
    TlsConfig tls;
    bool has_ciphers = false;
    bool has_client_auth = false;
    const auto text = [](std::string& to) { return [&to](const Value& v) { to = v.text(); }; };
    const auto path = [this](std::string& to) {
      return [this, &to](const Value& v) { to = absolute(v.text()); };
    };
    read_fields(map, "tls_server_config",
                {{"cert_file", path(tls.certificate.path)},
                 {"key_file", path(tls.key.path)},
                 {"client_ca_file", path(tls.client_ca.path)},
                 {"cert", text(tls.certificate.text)},
                 {"key", text(tls.key.text)},
                 {"client_ca", text(tls.client_ca.text)},
                 {"client_auth_type",
                  [&](const Value& v) {
                    has_client_auth = !v.text().empty();
                    tls.client_auth = v.one_of(client_auths);
                  }},
                 {"client_allowed_sans",
                  [&](const Value& v) {
                    if (!v.node().IsNull()) {
                      tls.client_allowed_sans = v.texts();
                    }
                  }},
                 {"min_version", [&](const Value& v) { tls.min_version = v.one_of(versions); }},
                 {"max_version", [&](const Value& v) { tls.max_version = v.one_of(versions); }},
                 {"cipher_suites",
                  [&](const Value& v) {
                    const auto names = v.some_of(cipher_suites);
                    has_ciphers = !names.empty();
                    tls.ciphers.assign(names.begin(), names.end());
                    std::erase(tls.ciphers, "");
                  }},
                 {"prefer_server_cipher_suites",
                  [&](const Value& v) { tls.prefer_server_ciphers = v.boolean(); }},
                 {"curve_preferences", [&](const Value& v) {
                    const auto names = v.some_of(curves);
                    tls.curves.assign(names.begin(), names.end());
                  }}});
    if (!tls.certificate.is_set() && !tls.key.is_set() && !tls.client_ca.is_set() &&
        !has_client_auth) {  // TLSConfig.IsEnabled() of exporter-toolkit
      if (map.node().size() > 0) {
        warnings_.emplace_back(
            "tls_server_config has no effect: without cert_file and key_file, TLS is not enabled");
      }
      return std::nullopt;
    }
    check(map, tls);
    prefer_files(tls);
    if (tls.verifies_clients() && !tls.client_ca.is_set()) {
      tls.uses_system_cas = true;
      warnings_.emplace_back(
          "client_auth_type without client_ca_file: any client certificate issued by a CA of the "
          "system is accepted");
    }
    if (has_ciphers && tls.ciphers.empty()) {
      tls.min_version = TlsVersion::tls13;
    }
    if (tls.min_version > tls.max_version) {
      warnings_.emplace_back(
          "min_version, or the minimum of cipher_suites, is above max_version: no client can "
          "connect");
    }
    return tls;
  }

 private:
  std::string absolute(const std::string& path) const {
    return path.empty() ? path
                        : (std::filesystem::path(directory_) / path).lexically_normal().string();
  }

  /// Rejects the same combinations as exporter-toolkit.
  static void check(const Value& map, const TlsConfig& tls) {
    if (!tls.certificate.is_set()) {
      map.reject("cert_file is missing");
    }
    if (!tls.key.is_set()) {
      map.reject("key_file is missing");
    }
    if (tls.client_ca.is_set() && tls.client_auth == ClientAuth::none) {
      map.reject(
          "client_ca_file requires client_auth_type, for example RequireAndVerifyClientCert");
    }
    if (tls.client_allowed_sans && tls.client_auth != ClientAuth::require_any &&
        tls.client_auth != ClientAuth::require_and_verify) {
      map.reject(
          "client_allowed_sans requires client_auth_type RequireAnyClientCert or "
          "RequireAndVerifyClientCert");
    }
  }

  void prefer_files(TlsConfig& tls) {
    const auto prefer = [&](PemSource& source, const std::string& name) {
      if (!source.text.empty() && !source.path.empty()) {
        warnings_.push_back(name + " has no effect: " + name + "_file is set");
        source.text.clear();
      }
    };
    prefer(tls.certificate, "cert");
    prefer(tls.key, "key");
    prefer(tls.client_ca, "client_ca");
  }

  std::string directory_;
  std::vector<std::string>& warnings_;
};

/// A header that can be configured, and its valid values; empty if any value is valid.
struct Header {
  std::string_view name;
  std::array<std::string_view, 2> values;
};

constexpr std::array<Header, 5> headers = {{
    {"Content-Security-Policy", {}},
    {"X-Frame-Options", {"deny", "sameorigin"}},
    {"X-Content-Type-Options", {"nosniff", "nosniff"}},
    {"X-XSS-Protection", {}},
    {"Strict-Transport-Security", {}},
}};

void read_header(const std::string& name, const Value& value, WebConfig& config) {
  const auto* const header = std::ranges::find(headers, name, &Header::name);
  if (header == headers.end()) {
    value.reject("this header cannot be configured, expected one of " + names_of(headers));
  }
  // A block scalar ends with a newline, which Go's net/http replaces with a space.
  std::string text = value.text();
  std::ranges::replace_if(
      text, [](char c) { return c == '\r' || c == '\n'; }, ' ');
  text = kernel::trimmed(text);
  if (std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; })) {
    value.reject("must not contain control characters");
  }
  if (!header->values.front().empty() && !text.empty() &&
      std::ranges::find(header->values, text) == header->values.end()) {
    const auto& [first, second] = header->values;
    value.reject("invalid value '" + text + "', expected " + std::string(first) +
                 (first == second ? "" : " or " + std::string(second)));
  }
  if (!text.empty()) {
    config.headers.emplace_back(name, text);
  }
}

void read_http(const Value& map, WebConfig& config) {
  read_fields(map, "http_server_config",
              {{"http2",
                [&](const Value& value) {
                  if (value.boolean()) {
                    config.warnings.emplace_back("http2 has no effect: only HTTP/1.1 is supported");
                  }
                }},
               {"headers", [&](const Value& value) {
                  value.for_each([&](const std::string& name, const Value& header) {
                    read_header(name, header, config);
                  });
                }}});
}

bool is_bcrypt_base64(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '/';
}

/// `$2y$10$`, 22 characters of salt and 31 of hash.
bool is_bcrypt(std::string_view hash) {
  constexpr std::size_t prefix = 7;
  constexpr std::size_t length = 60;
  if (hash.size() != length || !hash.starts_with("$2") || hash[3] != '$' || hash[6] != '$' ||
      std::string_view("aby").find(hash[2]) == std::string_view::npos) {
    return false;
  }
  const std::string_view cost = hash.substr(4, 2);
  return cost >= "04" && cost <= "31" &&
         std::ranges::all_of(cost, [](char c) { return c >= '0' && c <= '9'; }) &&
         std::ranges::all_of(hash.substr(prefix), is_bcrypt_base64);
}

void read_user(const std::string& name, const Value& value, WebConfig& config) {
  if (name.find(':') != std::string::npos) {
    config.warnings.push_back("basic_auth_users: '" + name +
                              "' cannot authenticate: the name contains a colon");
  }
  if (!is_bcrypt(value.text())) {
    value.reject(
        "is not a bcrypt hash; generate one with: htpasswd -nBC 10 NAME, and use the part after "
        "the colon");
  }
  config.users.emplace(name, value.text());
}

/// Parses a duration as Go's time.ParseDuration() does, such as `1s`, `1.5h` or `1m30s`, or an
/// integer as nanoseconds.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  if (const auto nanoseconds = kernel::to_number<std::int64_t>(text)) {
    return std::chrono::nanoseconds(*nanoseconds);
  }
  constexpr std::array<Named<double>, 8> units = {{{"ns", 1},
                                                   {"us", 1e3},
                                                   {"\u00b5s", 1e3},
                                                   {"\u03bcs", 1e3},
                                                   {"ms", 1e6},
                                                   {"s", 1e9},
                                                   {"m", 60e9},
                                                   {"h", 3600e9}}};
  constexpr std::string_view digits = "0123456789.";
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  if (text.empty()) {
    return std::nullopt;
  }
  double total = 0;
  while (!text.empty()) {
    const std::string_view number = text.substr(0, text.find_first_not_of(digits));
    text.remove_prefix(number.size());
    const std::string_view unit = text.substr(0, text.find_first_of(digits));
    text.remove_prefix(unit.size());
    const auto value = kernel::to_number<double>(number);
    const auto* const factor = std::ranges::find(units, unit, &Named<double>::name);
    if (!value || factor == units.end()) {
      return std::nullopt;
    }
    total += *value * factor->value;
  }
  constexpr double max_nanoseconds = 9.2e18;
  if (total > max_nanoseconds) {
    return std::nullopt;
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(is_negative ? -total : total));
}

void read_rate_limit(const Value& map, WebConfig& config) {
  RateLimit& limit = config.rate_limit;
  read_fields(map, "rate_limit",
              {{"interval",
                [&](const Value& value) {
                  const auto interval = parse_duration(value.node().IsNull() ? "0" : value.text());
                  if (!interval) {
                    value.reject("must be a duration such as 1s or 100ms");
                  }
                  limit.interval = *interval;
                }},
               {"burst", [&](const Value& value) { limit.burst = value.integer(); }}});
  if (limit.is_enabled() && limit.burst < 1) {
    config.warnings.emplace_back("rate_limit: burst is below 1, every request gets status 429");
  }
}

}  // namespace

WebConfig parse_web_config(std::string_view text, const std::string& directory) {
  if (text.size() > max_file_bytes) {
    throw WebConfigError("is larger than " + std::to_string(max_file_bytes) + " bytes");
  }
  WebConfig config;
  try {
    read_fields(Value("the file", load_only_document(std::string(text))), "the file",
                {{"tls_server_config",
                  [&](const Value& value) {
                    config.tls = TlsReader(directory, config.warnings).read(value);
                  }},
                 {"http_server_config", [&](const Value& value) { read_http(value, config); }},
                 {"basic_auth_users",
                  [&](const Value& value) {
                    value.for_each([&](const std::string& name, const Value& hash) {
                      read_user(name, hash, config);
                    });
                  }},
                 {"rate_limit", [&](const Value& value) { read_rate_limit(value, config); }}});
  } catch (const YAML::Exception& error) {
    fail(error.mark, error.msg);
  }
  return config;
}

}  // namespace inetdiag
