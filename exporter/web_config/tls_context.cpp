#include "exporter/web_config/tls_context.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <stdexcept>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

namespace inetdiag {
namespace {

template <auto function>
struct Free {
  template <typename T>
  void operator()(T* value) const {
    function(value);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using GeneralNames = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;

[[noreturn]] void throw_tls_error(const std::string& what) {
  throw std::runtime_error(what + ": " + tls_error());
}

Bio open_pem(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string name_of(const PemSource& source, const std::string& field) {
  return source.path.empty() ? field : source.path;
}

// By default, OpenSSL asks for the passphrase of an encrypted key on the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*is_write*/, void* /*data*/) { return -1; }

Certificate next_certificate(BIO* pem) {
  return Certificate(PEM_read_bio_X509(pem, nullptr, no_passphrase, nullptr));
}

/// Throws if the last read failed for a reason other than the end of the file.
void check_end_of_file(const std::string& where) {
  const unsigned long error = ERR_peek_last_error();
  if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
    throw_tls_error(where + " contains an invalid certificate");
  }
  ERR_clear_error();
}

void use_certificate(SSL_CTX* context, const std::string& text, const std::string& where) {
  const Bio pem = open_pem(text);
  const Certificate own = next_certificate(pem.get());
  if (!own || SSL_CTX_use_certificate(context, own.get()) != 1) {
    throw_tls_error(where + " contains no usable certificate");
  }
  while (const Certificate issuer = next_certificate(pem.get())) {
    if (SSL_CTX_add1_chain_cert(context, issuer.get()) != 1) {
      throw_tls_error(where + " contains an unusable certificate");
    }
  }
  check_end_of_file(where);
}

void use_key(SSL_CTX* context, std::string text, const std::string& where,
             const std::string& certificate) {
  const Bio pem = open_pem(text);
  const Key key(PEM_read_bio_PrivateKey(pem.get(), nullptr, no_passphrase, nullptr));
  OPENSSL_cleanse(text.data(), text.size());
  if (!key) {
    throw_tls_error(where + " contains no unencrypted private key");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    throw_tls_error(where + " is not the private key of " + certificate);
  }
}

/// If `is_announced`, the server sends the names of the CAs to clients, which choose a certificate
/// by them.
void trust_authorities(SSL_CTX* context, const std::string& text, const std::string& where,
                       bool is_announced) {
  const Bio pem = open_pem(text);
  bool found = false;
  while (const Certificate authority = next_certificate(pem.get())) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1 ||
        (is_announced && SSL_CTX_add_client_CA(context, authority.get()) != 1)) {
      throw_tls_error(where + " contains an unusable CA certificate");
    }
    found = true;
  }
  check_end_of_file(where);
  if (!found) {
    throw std::runtime_error(where + " contains no certificate");
  }
}

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string ip_text(const ASN1_STRING* bytes) {
  constexpr int ipv4_bytes = 4;
  constexpr int ipv6_bytes = 16;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int length = ASN1_STRING_length(bytes);
  const int family = length == ipv4_bytes ? AF_INET : AF_INET6;
  if ((length != ipv4_bytes && length != ipv6_bytes) ||
      inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size()) == nullptr) {
    return {};
  }
  return text.data();
}

std::string text_of(const GENERAL_NAME& name) {
  switch (name.type) {
    case GEN_DNS:
      return text_of(name.d.dNSName);
    case GEN_EMAIL:
      return text_of(name.d.rfc822Name);
    case GEN_URI:
      return text_of(name.d.uniformResourceIdentifier);
    case GEN_IPADD:
      return ip_text(name.d.iPAddress);
    default:
      return {};
  }
}

bool has_allowed_san(X509* certificate, const std::vector<std::string>& allowed) {
  const GeneralNames names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const std::string name = text_of(*sk_GENERAL_NAME_value(names.get(), i));
    if (!name.empty() && std::ranges::find(allowed, name) != allowed.end()) {
      return true;
    }
  }
  return false;
}

/// The context and the data of its verify callback.
struct VerifyingContext {
  std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>> context;
  bool verifies_chain = false;
  std::optional<std::vector<std::string>> allowed_sans;
};

int verify_client(X509_STORE_CTX* chain, void* data) {
  const auto& policy = *static_cast<const VerifyingContext*>(data);
  if (policy.verifies_chain && X509_verify_cert(chain) != 1) {
    return 0;
  }
  if (!policy.allowed_sans ||
      has_allowed_san(X509_STORE_CTX_get0_cert(chain), *policy.allowed_sans)) {
    return 1;
  }
  X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

void authenticate_clients(VerifyingContext& owner, const TlsConfig& config) {
  if (config.client_auth == ClientAuth::none) {
    return;
  }
  const bool is_required = config.client_auth == ClientAuth::require_any ||
                           config.client_auth == ClientAuth::require_and_verify;
  owner.verifies_chain = config.verifies_clients();
  owner.allowed_sans = config.client_allowed_sans;
  SSL_CTX_set_verify(owner.context.get(),
                     SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  SSL_CTX_set_cert_verify_callback(owner.context.get(), verify_client, &owner);
  // As in Go, every certificate of client_ca is an anchor of trust, also one that is not
  // self-signed, and signatures with SHA-1 or MD5 are not accepted, whatever TLS versions are.
  X509_VERIFY_PARAM* const parameters = SSL_CTX_get0_param(owner.context.get());
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_auth_level(parameters,
                                   std::max(1, SSL_CTX_get_security_level(owner.context.get())));
}

int protocol_version(TlsVersion version) {
  switch (version) {
    case TlsVersion::tls10:
      return TLS1_VERSION;
    case TlsVersion::tls11:
      return TLS1_1_VERSION;
    case TlsVersion::tls12:
      return TLS1_2_VERSION;
    default:
      return TLS1_3_VERSION;
  }
}

std::string colon_list(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ":"));
}

void configure_protocol(SSL_CTX* context, const TlsConfig& config) {
  if (SSL_CTX_set_min_proto_version(context, protocol_version(config.min_version)) != 1 ||
      SSL_CTX_set_max_proto_version(context, protocol_version(config.max_version)) != 1) {
    throw_tls_error("OpenSSL does not support min_version or max_version");
  }
  std::string ciphers = config.ciphers.empty() ? "DEFAULT" : colon_list(config.ciphers);
  if (config.min_version < TlsVersion::tls12) {
    // OpenSSL 3 allows SHA-1, which TLS 1.0 and 1.1 need, at security level 0 only.
    ciphers += ":@SECLEVEL=0";
  }
  if (SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1) {
    throw_tls_error("OpenSSL does not support cipher_suites");
  }
  if (!config.curves.empty() &&
      SSL_CTX_set1_groups_list(context, colon_list(config.curves).c_str()) != 1) {
    throw_tls_error("OpenSSL does not support curve_preferences");
  }
  // No session resumption: it would skip the verification of the client certificate.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_options(context,
                      SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                          (config.prefer_server_ciphers ? SSL_OP_CIPHER_SERVER_PREFERENCE : 0));
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  // SSL_read() returns after each non-data record: endless key updates must not block the thread.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
}

}  // namespace

std::string system_ca_file() {
  if (const char* const path = std::getenv("SSL_CERT_FILE"); path != nullptr && *path != '\0') {
    return path;
  }
  // From Go's crypto/x509/root_linux.go.
  for (const char* path :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/cacert.pem",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (::access(path, R_OK) == 0) {
      return path;
    }
  }
  return {};
}

std::string tls_error() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "unknown error";
}

std::shared_ptr<SSL_CTX> make_tls_context(
    const TlsConfig& config, const std::function<std::string(const std::string& path)>& read_file) {
  ERR_clear_error();
  const auto owner = std::make_shared<VerifyingContext>();
  owner->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = owner->context.get();
  if (context == nullptr) {
    throw_tls_error("cannot create an OpenSSL context");
  }
  const auto contents = [&](const PemSource& source) {
    return source.path.empty() ? source.text : read_file(source.path);
  };
  configure_protocol(context, config);
  const std::string certificate = name_of(config.certificate, "cert");
  use_certificate(context, contents(config.certificate), certificate);
  use_key(context, contents(config.key), name_of(config.key, "key"), certificate);
  if (config.client_ca.is_set()) {
    trust_authorities(context, contents(config.client_ca), name_of(config.client_ca, "client_ca"),
                      !config.uses_system_cas);
  }
  authenticate_clients(*owner, config);
  return {owner, context};
}

}  // namespace inetdiag
