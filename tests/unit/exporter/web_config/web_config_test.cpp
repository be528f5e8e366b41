// The web configuration file: what it says, and what is refused and where.
#include "exporter/web_config/web_config.h"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const std::string hash = "$2y$04$ZxS2lHjOxZ0gN4o7OSlkIOfLQVBHYKJCEEMNyGr7G2VwYxLQ9V6WK";
const std::string pair = "tls_server_config:\n  cert_file: c\n  key_file: k\n";

WebConfig parsed(const std::string& text) { return parse_web_config(text, "/etc/inetdiag"); }

std::string refusal(const std::string& text) {
  try {
    parsed(text);
    return "accepted";
  } catch (const WebConfigError& error) {
    return error.what();
  }
}

TEST(WebConfig, AsksForNothingWhereItSaysNothing) {
  for (const auto* text : {"", "# nothing\n", "{}", "~", "tls_server_config:\nbasic_auth_users:\n",
                           "tls_server_config: {min_version: TLS13}\nhttp_server_config: {}"}) {
    const WebConfig config = parsed(text);
    EXPECT_FALSE(config.tls) << text;
    EXPECT_THAT(config.users, IsEmpty()) << text;
    EXPECT_THAT(config.headers, IsEmpty()) << text;
  }
}

TEST(WebConfig, TakesEveryFieldOfExporterToolkit) {
  const WebConfig config = parsed(R"(
tls_server_config:
  cert_file: server.crt
  key_file: /keys/server.key
  client_ca_file: ../ca.crt
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [prometheus.example, 10.0.0.1]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: false
  curve_preferences: [X25519, CurveP256]
http_server_config:
  http2: false
  headers:
    X-Frame-Options: deny
    Strict-Transport-Security: max-age=1
basic_auth_users:
  scraper: )" + hash + "\n");
  ASSERT_TRUE(config.tls);
  EXPECT_EQ(config.tls->certificate.path, "/etc/inetdiag/server.crt");
  EXPECT_EQ(config.tls->key.path, "/keys/server.key");
  EXPECT_EQ(config.tls->client_ca.path, "/etc/ca.crt");
  EXPECT_EQ(config.tls->client_auth, ClientAuth::require_and_verify);
  EXPECT_THAT(config.tls->client_allowed_sans, ElementsAre("prometheus.example", "10.0.0.1"));
  EXPECT_THAT(config.tls->ciphers, ElementsAre("ECDHE-RSA-AES128-GCM-SHA256"));
  EXPECT_THAT(config.tls->curves, ElementsAre("X25519", "P-256"));
  EXPECT_FALSE(config.tls->prefer_server_ciphers);
  EXPECT_THAT(config.headers, ElementsAre(Pair("X-Frame-Options", "deny"),
                                          Pair("Strict-Transport-Security", "max-age=1")));
  EXPECT_THAT(config.users, ElementsAre(Pair("scraper", hash)));
  EXPECT_THAT(config.notes, IsEmpty());
}

TEST(WebConfig, HasTheDefaultsOfExporterToolkit) {
  const WebConfig config = parsed(pair);
  ASSERT_TRUE(config.tls);
  EXPECT_EQ(config.tls->client_auth, ClientAuth::none);
  EXPECT_EQ(config.tls->min_version, TlsVersion::tls12);
  EXPECT_EQ(config.tls->max_version, TlsVersion::tls13);
  EXPECT_TRUE(config.tls->prefer_server_ciphers);
}

TEST(WebConfig, TakesEveryKindOfClientAuthentication) {
  const std::array<std::pair<const char*, ClientAuth>, 6> kinds = {{
      {"NoClientCert", ClientAuth::none},
      {"RequestClientCert", ClientAuth::request},
      {"RequireAnyClientCert", ClientAuth::require_any},
      {"RequireClientCert", ClientAuth::require_any},
      {"VerifyClientCertIfGiven", ClientAuth::verify_if_given},
      {"RequireAndVerifyClientCert", ClientAuth::require_and_verify},
  }};
  for (const auto& [name, kind] : kinds) {
    const std::string ca = kind == ClientAuth::none ? "" : "  client_ca_file: ca\n";
    const WebConfig config = parsed(pair + ca + "  client_auth_type: " + name + "\n");
    ASSERT_TRUE(config.tls) << name;
    EXPECT_EQ(config.tls->client_auth, kind) << name;
  }
}

TEST(WebConfig, TakesPemInTheFileItself) {
  const WebConfig config = parsed("tls_server_config: {cert: \"CERT\\n\", key: KEY}");
  ASSERT_TRUE(config.tls);
  EXPECT_EQ(config.tls->certificate.text, "CERT\n");
  EXPECT_EQ(config.tls->certificate.path, "");
}

TEST(WebConfig, LeavesOnlyTls13WhereOnlyItsCiphersAreNamed) {
  EXPECT_EQ(parsed(pair + "  cipher_suites: [TLS_AES_256_GCM_SHA384]\n").tls->min_version,
            TlsVersion::tls13);
  EXPECT_THAT(refusal(pair + "  cipher_suites: [TLS_AES_256_GCM_SHA384]\n  max_version: TLS12\n"),
              HasSubstr("above max_version"));
}

TEST(WebConfig, SaysThatHttp2CannotBeHad) {
  EXPECT_THAT(parsed("http_server_config: {http2: true}").notes, ElementsAre(HasSubstr("http2")));
}

struct Refused {
  std::string text;
  std::string why;
};

TEST(WebConfig, RefusesWithLineAndReason) {
  const std::array refused = {
      Refused{"tls_server_confg: {}", "line 1: unknown field 'tls_server_confg' in the file"},
      Refused{pair + "  certfile: x\n", "line 4: unknown field 'certfile' in tls_server_config"},
      Refused{"http_server_config:\n  http3: true\n", "line 2: unknown field 'http3'"},
      Refused{"basic_auth_users: {}\nbasic_auth_users: {}\n", "line 2: 'basic_auth_users' stands"},
      Refused{"basic_auth_users:\n  a: " + hash + "\n  a: " + hash, "line 3: 'a' stands twice"},
      Refused{"rate_limit: {burst: 1}", "--web.max-requests"},
      Refused{"[]", "is to be a map"},
      Refused{"just a text", "is to be a map"},
      Refused{"tls_server_config: [1]", "line 1: tls_server_config: is to be a map"},
      Refused{"? [a]\n: b\n", "a name is to be a text"},
      Refused{"basic_auth_users: {}\n---\nbasic_auth_users: {}\n", "line 2: the file is to end"},
      // Those without an end in yaml-cpp's LoadAll().
      Refused{",", "line 1: the file is to end here"},
      Refused{", *a]\n<<: *a\n---\n", "line 1: the file is to end here"},
      Refused{"tls_server_config: {cert_file: c}", "key_file is missing"},
      Refused{"tls_server_config: {key_file: k}", "cert_file is missing"},
      Refused{"tls_server_config: {client_auth_type: RequestClientCert}", "cert_file is missing"},
      Refused{"tls_server_config: {client_auth_type: NoClientCert}", "cert_file is missing"},
      Refused{pair + "  cert: x\n", "cert and cert_file exclude each other"},
      Refused{pair + "  cert_file: x\n", "line 4: 'cert_file' stands twice"},
      Refused{pair + "  client_auth_type: Sure\n", "line 4: client_auth_type: 'Sure' is unknown"},
      Refused{pair + "  client_auth_type: VerifyClientCertIfGiven\n", "needs a client_ca_file"},
      Refused{pair + "  client_ca_file: x\n", "has no effect without client_auth_type"},
      Refused{pair + "  client_allowed_sans: [a]\n", "client_allowed_sans means nothing"},
      Refused{pair + "  client_allowed_sans: a\n", "is to be a list"},
      Refused{pair + "  min_version: SSL30\n", "'SSL30' is unknown; there are: TLS10"},
      Refused{pair + "  min_version: TLS13\n  max_version: TLS12\n", "above max_version"},
      Refused{pair + "  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]\n", "is unknown"},
      Refused{pair + "  cipher_suites: [[]]\n", "is to be a text"},
      Refused{pair + "  curve_preferences: [CurveP257]\n", "is unknown"},
      Refused{pair + "  prefer_server_cipher_suites: perhaps\n", "is to be true or false"},
      Refused{"http_server_config: {headers: {Server: x}}", "this header cannot be set"},
      Refused{"http_server_config: {headers: {X-Frame-Options: allow}}", "none of its values"},
      Refused{"http_server_config: {headers: {X-XSS-Protection: \"1\\r\\nA: b\"}}",
              "a control character"},
      Refused{"basic_auth_users: {a: secret}", "line 1: a: is no bcrypt hash"},
      Refused{"basic_auth_users: {a: }", "a: is no bcrypt hash"},
      Refused{"basic_auth_users: {a: $1$" + hash.substr(4) + "}", "is no bcrypt hash"},
      Refused{"basic_auth_users: {a: $2x" + hash.substr(3) + "}", "is no bcrypt hash"},
      Refused{"basic_auth_users: {a: $2y$03" + hash.substr(6) + "}", "is no bcrypt hash"},
      Refused{"basic_auth_users: {a: $2y$32" + hash.substr(6) + "}", "is no bcrypt hash"},
      Refused{"basic_auth_users: {a: " + hash.substr(1) + "}", "is no bcrypt hash"},
      Refused{"basic_auth_users: {a: " + hash + "x}", "is no bcrypt hash"},
      Refused{"basic_auth_users: {\"a:b\": " + hash + "}", "cannot have a colon"},
      Refused{"\tx: y", "line 1"},
      Refused{"a: [", "line"},
      Refused{"a: *nowhere", "line 1"},
      Refused{"a: 'open", "line"},
      Refused{std::string(2U << 20U, '#'), "has more than"},
  };
  for (const auto& [text, why] : refused) {
    EXPECT_THAT(refusal(text), HasSubstr(why)) << text.substr(0, 100);
  }
}

TEST(WebConfig, RefusesWhatIsMeantToExhaust) {
  std::string nested = "tls_server_config: ";
  nested.append(100'000, '[');
  EXPECT_NE(refusal(nested), "accepted");
  EXPECT_NE(refusal(std::string(100'000, '{')), "accepted");
  // Each alias ten times the one before: a text of a few lines, 10^9 values where they are copied.
  std::string laughs = "a0: &a0 [x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) {
      laughs.append(j == 0 ? "" : ",").append(alias);
    }
    laughs += "]\n";
  }
  EXPECT_THAT(refusal(laughs), HasSubstr("unknown field"));
  EXPECT_THAT(refusal(pair + "  client_allowed_sans: &a [*a]\n"), HasSubstr("line 4"));
  EXPECT_THAT(refusal(pair + "  <<: {min_version: TLS10}\n"), HasSubstr("unknown field '<<'"));
}

TEST(WebConfig, SurvivesEveryByteInEveryPlace) {
  const std::string whole = pair + "basic_auth_users:\n  a: " + hash + "\n";
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    refusal(whole.substr(0, at));
    for (const char byte : {'\0', '\t', '\xff', ':', '*', '&', '"', '{', '!', '%'}) {
      std::string broken = whole;
      broken[at] = byte;
      EXPECT_NO_FATAL_FAILURE(refusal(broken));
    }
  }
}

}  // namespace
}  // namespace inetdiag
