#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inetdiag {

/// Go's tls.ClientAuthType.
enum class ClientAuth { none, request, require_any, verify_if_given, require_and_verify };

enum class TlsVersion { tls10, tls11, tls12, tls13 };

/// PEM, either inline or the path of a file.
struct PemSource {
  std::string text;
  std::string path;

  bool is_set() const { return !text.empty() || !path.empty(); }
};

struct TlsConfig {
  bool verifies_clients() const {
    return client_auth == ClientAuth::verify_if_given ||
           client_auth == ClientAuth::require_and_verify;
  }

  PemSource certificate;
  PemSource key;
  PemSource client_ca;
  /// Whether client certificates are verified against the CA certificates of the system, as Go does
  /// without client_ca_file.
  bool uses_system_cas = false;
  ClientAuth client_auth = ClientAuth::none;
  std::optional<std::vector<std::string>> client_allowed_sans;
  std::vector<std::string> ciphers;  ///< OpenSSL names for TLS 1.2 and below; empty: its default
  std::vector<std::string> curves;   ///< OpenSSL names; empty: its default
  TlsVersion min_version = TlsVersion::tls12;
  TlsVersion max_version = TlsVersion::tls13;
  bool prefer_server_ciphers = true;
};

/// A token bucket: one request per interval, with bursts of up to `burst` requests.
struct RateLimit {
  std::chrono::nanoseconds interval{0};  ///< no limit unless positive
  std::int64_t burst = 0;

  bool is_enabled() const { return interval > std::chrono::nanoseconds::zero(); }
  bool operator==(const RateLimit&) const = default;
};

/// A web configuration file in the format of Prometheus' exporter-toolkit:
/// https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
struct WebConfig {
  std::optional<TlsConfig> tls;
  std::vector<std::pair<std::string, std::string>> headers;
  std::map<std::string, std::string> users;  ///< bcrypt hashes by name
  RateLimit rate_limit;
  std::vector<std::string> warnings;  ///< valid options with an unexpected effect
};

/// For example: `line 3: unknown field 'cert' in tls_server_config, expected one of ...`
struct WebConfigError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Relative paths are relative to `directory`, which contains the file. Opens no file. Throws
/// WebConfigError.
WebConfig parse_web_config(std::string_view text, const std::string& directory);

}  // namespace inetdiag
