#include "exporter/web_config/web_config.h"

#include <algorithm>

#include "tests/fuzz/target.h"

namespace inetdiag::fuzz {
namespace {

void require_valid(const TlsConfig& tls) {
  for (const PemSource* source : {&tls.certificate, &tls.key, &tls.client_ca}) {
    require(source->text.empty() || source->path.empty(), "PEM has one source");
    require(source->path.empty() || source->path.starts_with('/'), "a path is absolute");
  }
  require(tls.certificate.is_set() && tls.key.is_set(), "TLS has a certificate and a key");
  require(!tls.verifies_clients() || tls.client_ca.is_set() != tls.uses_system_cas,
          "certificates are verified against one set of CAs");
  require(!tls.client_allowed_sans || tls.client_auth == ClientAuth::require_any ||
              tls.client_auth == ClientAuth::require_and_verify,
          "SANs are compared only if a certificate is required");
  for (const auto* names : {&tls.ciphers, &tls.curves}) {
    require(std::ranges::none_of(*names, [](const auto& name) { return name.empty(); }),
            "names for OpenSSL are not empty");
  }
}

}  // namespace

void run(std::string_view input) {
  try {
    const WebConfig config = parse_web_config(input, "/etc/inetdiag");
    if (config.tls) {
      require_valid(*config.tls);
    }
    for (const auto& [name, value] : config.headers) {
      require(!name.empty() && value.find_first_of("\r\n") == std::string::npos,
              "a header is one line");
    }
    constexpr std::size_t bcrypt_length = 60;
    for (const auto& [name, hash] : config.users) {
      require(name.find(':') == std::string::npos || !config.warnings.empty(),
              "a user name without effect causes a warning");
      require(hash.size() == bcrypt_length && hash.find('\0') == std::string::npos,
              "a hash is bcrypt");
    }
  } catch (const WebConfigError& error) {
    require(*error.what() != '\0', "an error has a message");
  }
}

std::vector<std::string> seeds() {
  return {R"(tls_server_config:
  cert_file: server.crt
  key_file: /keys/server.key
  client_ca_file: ../ca.crt
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [prometheus.example, 10.0.0.1]
  min_version: TLS12
  max_version: TLS13
  cipher_suites:
    - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    - TLS_AES_128_GCM_SHA256
  prefer_server_cipher_suites: false
  curve_preferences: [X25519, CurveP256]
)",
          R"(http_server_config:
  http2: true
  headers:
    X-Frame-Options: deny
    Strict-Transport-Security: "max-age=1"
basic_auth_users:
  scraper: $2y$04$ZxS2lHjOxZ0gN4o7OSlkIOfLQVBHYKJCEEMNyGr7G2VwYxLQ9V6WK
)",
          "tls_server_config: {cert: \"A\\n\", key: 'B', client_ca: |\n  C\n}",
          "a: &a [*a, *a]\n<<: *a\n---\n!!map {? b : c}\n",
          "%YAML 1.2\n---\n~\n...\n",
          "rate_limit: {interval: 1m30.5s, burst: 20}",
          ", a"};
}

}  // namespace inetdiag::fuzz
