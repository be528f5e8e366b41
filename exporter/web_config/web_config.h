#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inetdiag {

/// Go's tls.ClientAuthType, in whose words the file is written.
enum class ClientAuth { none, request, require_any, verify_if_given, require_and_verify };

enum class TlsVersion { tls10, tls11, tls12, tls13 };

/// What is given as PEM in the file itself, or as the path of another.
struct PemSource {
  std::string text;
  std::string path;

  bool is_set() const { return !text.empty() || !path.empty(); }
};

struct TlsConfig {
  PemSource certificate;
  PemSource key;
  PemSource client_ca;
  ClientAuth client_auth = ClientAuth::none;
  std::vector<std::string> client_allowed_sans;
  std::vector<std::string> ciphers;  ///< up to TLS 1.2, OpenSSL's names; empty for its own choice
  std::vector<std::string> curves;   ///< OpenSSL's names; empty for its own choice
  TlsVersion min_version = TlsVersion::tls12;
  TlsVersion max_version = TlsVersion::tls13;
  bool prefer_server_ciphers = true;
};

/// What a web configuration file in the format of Prometheus' exporter-toolkit says.
struct WebConfig {
  std::optional<TlsConfig> tls;
  std::vector<std::pair<std::string, std::string>> headers;
  std::map<std::string, std::string> users;  ///< name and bcrypt hash
  std::vector<std::string> notes;            ///< what is understood, but without effect here
};

/// `line 3: unknown field 'cert' in tls_server_config; ...`
struct WebConfigError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Relative paths are taken from `folder`, which holds the file. No file is opened. Throws
/// WebConfigError.
WebConfig parse_web_config(std::string_view text, const std::string& folder);

}  // namespace inetdiag
