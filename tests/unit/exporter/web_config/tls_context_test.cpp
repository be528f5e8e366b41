// Which clients a TLS context accepts, by handshakes in memory.
#include "exporter/web_config/tls_context.h"

#include <memory>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace inetdiag {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

/// A certificate with its key.
struct Identity {
  std::unique_ptr<EVP_PKEY, Free> key;
  std::unique_ptr<X509, Free> certificate;
};

struct Request {
  const char* name;
  bool is_authority = false;
  std::string san{};
  const EVP_MD* digest = EVP_sha256();
};

void add_extension(const Identity& to, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  ASSERT_NE(extension, nullptr);
  X509_add_ext(to.certificate.get(), extension, -1);
  X509_EXTENSION_free(extension);
}

/// Self-signed without an issuer.
Identity issue(const Request& request, const Identity* issuer = nullptr) {
  Identity made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.certificate.reset(X509_new());
  X509* const certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(request.name), -1, -1, 0);
  const Identity& signer = issuer != nullptr ? *issuer : made;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get()));
  add_extension(made, NID_basic_constraints, request.is_authority ? "CA:TRUE" : "CA:FALSE");
  if (!request.san.empty()) {
    add_extension(made, NID_subject_alt_name, request.san);
  }
  EXPECT_GT(X509_sign(certificate, signer.key.get(), request.digest), 0);
  return made;
}

template <typename Write>
std::string pem(Write write) {
  const std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_mem()));
  EXPECT_EQ(write(bio.get()), 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string certificate_pem(const Identity& identity) {
  return pem([&](BIO* bio) { return PEM_write_bio_X509(bio, identity.certificate.get()); });
}

std::string key_pem(const Identity& identity) {
  return pem([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

class TlsContext : public ::testing::Test {
 protected:
  TlsContext() {
    config_.certificate.text = certificate_pem(server_);
    config_.key.text = key_pem(server_);
    config_.client_auth = ClientAuth::require_and_verify;
  }

  /// Whether the server completes a handshake with this client, which may have no certificate.
  bool accepts(const Identity* client) const {
    const auto server_context = make_tls_context(
        config_, [](const std::string&) -> std::string { throw std::logic_error("no files"); });
    const std::unique_ptr<SSL_CTX, Free> client_context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_security_level(client_context.get(), 0);  // it may send what the server rejects
    if (client != nullptr) {
      EXPECT_EQ(SSL_CTX_use_certificate(client_context.get(), client->certificate.get()), 1);
      EXPECT_EQ(SSL_CTX_use_PrivateKey(client_context.get(), client->key.get()), 1);
    }
    const std::unique_ptr<SSL, Free> server(SSL_new(server_context.get()));
    const std::unique_ptr<SSL, Free> other(SSL_new(client_context.get()));
    BIO* server_bio = nullptr;
    BIO* other_bio = nullptr;
    EXPECT_EQ(BIO_new_bio_pair(&server_bio, 0, &other_bio, 0), 1);
    SSL_set_bio(server.get(), server_bio, server_bio);
    SSL_set_bio(other.get(), other_bio, other_bio);
    SSL_set_accept_state(server.get());
    SSL_set_connect_state(other.get());
    int result = 0;
    for (int round = 0; round < 20 && result != 1; ++round) {
      SSL_do_handshake(other.get());
      result = SSL_do_handshake(server.get());
      if (result != 1 && SSL_get_error(server.get(), result) != SSL_ERROR_WANT_READ) {
        return false;
      }
    }
    return result == 1;
  }

  const Identity server_ = issue({.name = "server"});
  const Identity root_ = issue({.name = "root", .is_authority = true});
  const Identity intermediate_ = issue({.name = "intermediate", .is_authority = true}, &root_);
  TlsConfig config_;
};

TEST_F(TlsContext, AcceptsClientsOfItsAuthoritiesOnly) {
  config_.client_ca.text = certificate_pem(root_);
  const Identity client = issue({.name = "client"}, &root_);
  const Identity stranger = issue({.name = "client"});
  EXPECT_TRUE(accepts(&client));
  EXPECT_FALSE(accepts(&stranger));
  EXPECT_FALSE(accepts(nullptr));
}

TEST_F(TlsContext, AcceptsNoClientWithoutAuthorities) {
  const Identity client = issue({.name = "client"}, &root_);
  EXPECT_FALSE(accepts(&client));
  EXPECT_FALSE(accepts(nullptr));
}

TEST_F(TlsContext, TrustsAnIntermediateAuthorityWithoutItsRoot) {
  config_.client_ca.text = certificate_pem(intermediate_);
  const Identity client = issue({.name = "client"}, &intermediate_);
  const Identity of_root = issue({.name = "client"}, &root_);
  EXPECT_TRUE(accepts(&client));
  EXPECT_FALSE(accepts(&of_root));
}

TEST_F(TlsContext, AcceptsNoSha1SignatureEvenWithTls10) {
  config_.client_ca.text = certificate_pem(root_);
  const Identity weak = issue({.name = "client", .digest = EVP_sha1()}, &root_);
  const Identity client = issue({.name = "client"}, &root_);
  for (const TlsVersion version : {TlsVersion::tls10, TlsVersion::tls12}) {
    config_.min_version = version;
    EXPECT_FALSE(accepts(&weak));
    EXPECT_TRUE(accepts(&client));
  }
}

TEST_F(TlsContext, ComparesSansEvenWithoutVerification) {
  config_.client_auth = ClientAuth::require_any;
  config_.client_allowed_sans = {"a.example", "10.0.0.1"};
  for (const auto* san : {"DNS:a.example", "DNS:b.example,IP:10.0.0.1", "email:a.example"}) {
    const Identity client = issue({.name = "client", .san = san});
    EXPECT_TRUE(accepts(&client)) << san;
  }
  for (const auto* san : {"", "DNS:b.example", "DNS:A.example", "IP:10.0.0.2"}) {
    const Identity client = issue({.name = "a.example", .san = san});
    EXPECT_FALSE(accepts(&client)) << san;
  }
  EXPECT_FALSE(accepts(nullptr));
}

}  // namespace
}  // namespace inetdiag
