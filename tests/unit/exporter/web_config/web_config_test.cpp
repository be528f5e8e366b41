// Parsing of the web configuration file.
#include "exporter/web_config/web_config.h"

#include <array>
#include <chrono>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;
using ::testing::SizeIs;

const std::string hash = "$2y$04$ZxS2lHjOxZ0gN4o7OSlkIOfLQVBHYKJCEEMNyGr7G2VwYxLQ9V6WK";
const std::string pair = "tls_server_config:\n  cert_file: c\n  key_file: k\n";

WebConfig parse(const std::string& text) { return parse_web_config(text, "/etc/inetdiag"); }

std::string error_of(const std::string& text) {
  try {
    parse(text);
    return "accepted";
  } catch (const WebConfigError& error) {
    return error.what();
  }
}

TEST(WebConfig, MayBeEmpty) {
  for (const auto* text : {"", "# nothing\n", "{}", "~", "tls_server_config:\nbasic_auth_users:\n",
                           "tls_server_config: {min_version: TLS13}\nhttp_server_config: {}"}) {
    const WebConfig config = parse(text);
    EXPECT_FALSE(config.tls) << text;
    EXPECT_THAT(config.users, IsEmpty()) << text;
    EXPECT_THAT(config.headers, IsEmpty()) << text;
  }
  EXPECT_THAT(parse("tls_server_config:\nbasic_auth_users:\n").warnings, IsEmpty());
}

TEST(WebConfig, ReadsTheFieldsOfExporterToolkit) {
  const WebConfig config = parse(R"(
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
  EXPECT_THAT(config.tls->client_allowed_sans,
              Optional(ElementsAre("prometheus.example", "10.0.0.1")));
  EXPECT_THAT(config.tls->ciphers, ElementsAre("ECDHE-RSA-AES128-GCM-SHA256"));
  EXPECT_THAT(config.tls->curves, ElementsAre("X25519", "P-256"));
  EXPECT_FALSE(config.tls->prefer_server_ciphers);
  EXPECT_THAT(config.headers, ElementsAre(Pair("X-Frame-Options", "deny"),
                                          Pair("Strict-Transport-Security", "max-age=1")));
  EXPECT_THAT(config.users, ElementsAre(Pair("scraper", hash)));
  EXPECT_THAT(config.warnings, IsEmpty());
}

TEST(WebConfig, HasTheDefaultsOfExporterToolkit) {
  const WebConfig config = parse(pair);
  ASSERT_TRUE(config.tls);
  EXPECT_EQ(config.tls->client_auth, ClientAuth::none);
  EXPECT_EQ(config.tls->min_version, TlsVersion::tls12);
  EXPECT_EQ(config.tls->max_version, TlsVersion::tls13);
  EXPECT_TRUE(config.tls->prefer_server_ciphers);
}

TEST(WebConfig, ReadsEveryClientAuthType) {
  const std::array<std::pair<const char*, ClientAuth>, 6> types = {{
      {"NoClientCert", ClientAuth::none},
      {"RequestClientCert", ClientAuth::request},
      {"RequireAnyClientCert", ClientAuth::require_any},
      {"RequireClientCert", ClientAuth::require_any},
      {"VerifyClientCertIfGiven", ClientAuth::verify_if_given},
      {"RequireAndVerifyClientCert", ClientAuth::require_and_verify},
  }};
  for (const auto& [name, type] : types) {
    const std::string ca = type == ClientAuth::none ? "" : "  client_ca_file: ca\n";
    const WebConfig config = parse(pair + ca + "  client_auth_type: " + name + "\n");
    ASSERT_TRUE(config.tls) << name;
    EXPECT_EQ(config.tls->client_auth, type) << name;
  }
}

TEST(WebConfig, ReadsInlinePem) {
  const WebConfig config = parse("tls_server_config: {cert: \"CERT\\n\", key: KEY}");
  ASSERT_TRUE(config.tls);
  EXPECT_EQ(config.tls->certificate.text, "CERT\n");
  EXPECT_EQ(config.tls->certificate.path, "");
}

TEST(WebConfig, RequiresTls13IfOnlyItsCiphersAreGiven) {
  EXPECT_EQ(parse(pair + "  cipher_suites: [TLS_AES_256_GCM_SHA384]\n").tls->min_version,
            TlsVersion::tls13);
  EXPECT_THAT(
      parse(pair + "  cipher_suites: [TLS_AES_256_GCM_SHA384]\n  max_version: TLS12\n").warnings,
      ElementsAre(HasSubstr("above max_version")));
}

TEST(WebConfig, WarnsAboutHttp2) {
  EXPECT_THAT(parse("http_server_config: {http2: true}").warnings, ElementsAre(HasSubstr("http2")));
}

struct Documented {
  std::string field;
  std::string text;
  std::string warning;  ///< empty if the field is supported
};

// https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
TEST(WebConfig, AcceptsEveryDocumentedFieldOfExporterToolkit) {
  const std::string auth = "  client_auth_type: RequireAndVerifyClientCert\n";
  const std::string ca = "  client_ca_file: ca\n";
  const std::array documented = {
      Documented{"cert", "tls_server_config: {cert: c, key_file: k}", ""},
      Documented{"key", "tls_server_config: {cert_file: c, key: k}", ""},
      Documented{"client_ca", pair + auth + "  client_ca: ca\n", ""},
      Documented{"cert_file and key_file", pair, ""},
      Documented{"client_auth_type", pair + ca + auth, ""},
      Documented{"client_ca_file", pair + ca + auth, ""},
      Documented{"client_allowed_sans", pair + ca + auth + "  client_allowed_sans: [a]\n", ""},
      Documented{"min_version", pair + "  min_version: TLS10\n", ""},
      Documented{"max_version", pair + "  max_version: TLS12\n", ""},
      Documented{"cipher_suites", pair + "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]\n",
                 ""},
      Documented{"prefer_server_cipher_suites", pair + "  prefer_server_cipher_suites: false\n",
                 ""},
      Documented{"curve_preferences", pair + "  curve_preferences: [CurveP521]\n", ""},
      Documented{"http2", "http_server_config: {http2: false}", ""},
      Documented{"http2", "http_server_config: {http2: true}", "only HTTP/1.1 is supported"},
      Documented{"headers",
                 "http_server_config: {headers: {Content-Security-Policy: a, X-Frame-Options: "
                 "sameorigin, X-Content-Type-Options: nosniff, X-XSS-Protection: 1, "
                 "Strict-Transport-Security: max-age=1}}",
                 ""},
      Documented{"basic_auth_users", "basic_auth_users: {a: " + hash + "}", ""},
      Documented{"rate_limit", "rate_limit: {interval: 1s, burst: 20}", ""},
  };
  for (const auto& [field, text, warning] : documented) {
    EXPECT_EQ(error_of(text), "accepted") << field;
    if (warning.empty()) {
      EXPECT_THAT(parse(text).warnings, IsEmpty()) << field;
    } else {
      EXPECT_THAT(parse(text).warnings, ElementsAre(HasSubstr(warning))) << field;
    }
  }
}

TEST(WebConfig, WarnsAboutWhatExporterToolkitAccepts) {
  const std::array accepted = {
      Documented{"no TLS", "tls_server_config: {client_allowed_sans: [a]}", "TLS is not enabled"},
      Documented{"both", pair + "  cert: x\n", "cert has no effect: cert_file is set"},
      Documented{"no CA", pair + "  client_auth_type: VerifyClientCertIfGiven\n",
                 "issued by a CA of the system"},
      Documented{"no CA", pair + "  client_auth_type: RequireAndVerifyClientCert\n",
                 "issued by a CA of the system"},
      Documented{"versions", pair + "  min_version: TLS13\n  max_version: TLS12\n",
                 "no client can connect"},
      Documented{"user", "basic_auth_users: {\"a:b\": " + hash + "}", "contains a colon"},
      Documented{"burst", "rate_limit: {interval: 1s}", "every request gets status 429"},
  };
  for (const auto& [name, text, warning] : accepted) {
    ASSERT_EQ(error_of(text), "accepted") << name;
    EXPECT_THAT(parse(text).warnings, ElementsAre(HasSubstr(warning))) << name;
  }
  EXPECT_EQ(parse(pair + "  cert: x\n").tls->certificate.text, "");
  EXPECT_TRUE(parse(pair + "  client_auth_type: VerifyClientCertIfGiven\n").tls->uses_system_cas);
  // Without the user, requests would need no password.
  EXPECT_THAT(parse("basic_auth_users: {\"a:b\": " + hash + "}").users, SizeIs(1));
}

TEST(WebConfig, ComparesSansOfUnverifiedCertificates) {
  const std::string sans = "  client_allowed_sans: [a]\n";
  for (const auto* type : {"RequireAnyClientCert", "RequireAndVerifyClientCert"}) {
    EXPECT_EQ(error_of(pair + sans + "  client_auth_type: " + type + "\n"), "accepted") << type;
  }
  for (const auto* type : {"NoClientCert", "RequestClientCert", "VerifyClientCertIfGiven"}) {
    EXPECT_THAT(error_of(pair + sans + "  client_auth_type: " + type + "\n"),
                HasSubstr("client_allowed_sans requires"))
        << type;
  }
  // An empty list allows no client, null any.
  const std::string any = "  client_auth_type: RequireAnyClientCert\n";
  EXPECT_THAT(parse(pair + any + "  client_allowed_sans: []\n").tls->client_allowed_sans,
              Optional(IsEmpty()));
  EXPECT_EQ(parse(pair + any + "  client_allowed_sans:\n").tls->client_allowed_sans, std::nullopt);
}

TEST(WebConfig, WritesAHeaderOnOneLine) {
  EXPECT_THAT(parse("http_server_config:\n  headers:\n    Content-Security-Policy: |\n"
                    "      default-src 'self';\n      img-src *\n")
                  .headers,
              ElementsAre(Pair("Content-Security-Policy", "default-src 'self'; img-src *")));
}

TEST(WebConfig, ReadsDurationsAsGoDoes) {
  using namespace std::chrono_literals;
  const std::array<std::pair<const char*, std::chrono::nanoseconds>, 12> durations = {{
      {"0", 0ns},
      {"", 0ns},
      {"~", 0ns},
      {"250", 250ns},
      {"1s", 1s},
      {"1.5h", 90min},
      {"1h2m3s4ms5us6ns", 1h + 2min + 3s + 4ms + 5us + 6ns},
      {"7\u00b5s", 7us},
      {"7\u03bcs", 7us},
      {".5s", 500ms},
      {"-1s", -1s},
      {"+1s", 1s},
  }};
  for (const auto& [text, expected] : durations) {
    EXPECT_EQ(parse("rate_limit:\n  interval: " + std::string(text)).rate_limit.interval, expected)
        << text;
  }
  for (const auto* text : {"s", "1x", "1s1", "1.2.3s", "1e3s", "'-'", ".s", "99999999999h"}) {
    EXPECT_THAT(error_of("rate_limit:\n  interval: " + std::string(text)),
                HasSubstr("must be a duration"))
        << text;
  }
}

struct Invalid {
  std::string text;
  std::string error;
};

TEST(WebConfig, ReportsLineAndReasonOfAnError) {
  const std::array invalid = {
      Invalid{"tls_server_confg: {}", "line 1: unknown field 'tls_server_confg' in the file"},
      Invalid{pair + "  certfile: x\n", "line 4: unknown field 'certfile' in tls_server_config"},
      Invalid{"http_server_config:\n  http3: true\n", "line 2: unknown field 'http3'"},
      Invalid{"basic_auth_users: {}\nbasic_auth_users: {}\n",
              "line 2: duplicate field 'basic_auth_users'"},
      Invalid{"basic_auth_users:\n  a: " + hash + "\n  a: " + hash,
              "line 3: duplicate field 'a' in basic_auth_users"},
      Invalid{"rate_limit: {rate: 1}", "unknown field 'rate' in rate_limit"},
      Invalid{"rate_limit: {burst: many}", "line 1: burst: must be an integer"},
      Invalid{"rate_limit: {interval: 1 s}", "line 1: interval: must be a duration"},
      Invalid{"[]", "must be a mapping"},
      Invalid{"just a text", "must be a mapping"},
      Invalid{"tls_server_config: [1]", "line 1: tls_server_config: must be a mapping"},
      Invalid{"? [a]\n: b\n", "keys must be strings"},
      Invalid{"basic_auth_users: {}\n---\nbasic_auth_users: {}\n",
              "line 2: expected the end of the file"},
      // yaml-cpp's LoadAll() does not terminate for these.
      Invalid{",", "line 1: expected the end of the file"},
      Invalid{", *a]\n<<: *a\n---\n", "line 1: expected the end of the file"},
      Invalid{"tls_server_config: {cert_file: c}", "key_file is missing"},
      Invalid{"tls_server_config: {key_file: k}", "cert_file is missing"},
      Invalid{"tls_server_config: {client_auth_type: RequestClientCert}", "cert_file is missing"},
      Invalid{"tls_server_config: {client_auth_type: NoClientCert}", "cert_file is missing"},
      Invalid{pair + "  cert_file: x\n", "line 4: duplicate field 'cert_file'"},
      Invalid{pair + "  client_auth_type: Sure\n",
              "line 4: client_auth_type: invalid value 'Sure', expected one of NoClientCert"},
      Invalid{pair + "  client_ca_file: x\n", "client_ca_file requires client_auth_type"},
      Invalid{pair + "  client_allowed_sans: [a]\n", "client_allowed_sans requires"},
      Invalid{pair + "  client_allowed_sans: a\n", "must be a list"},
      Invalid{pair + "  min_version: SSL30\n", "invalid value 'SSL30', expected one of TLS10"},
      Invalid{pair + "  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]\n", "invalid value"},
      Invalid{pair + "  cipher_suites: [[]]\n", "must be a string"},
      Invalid{pair + "  curve_preferences: [CurveP257]\n", "invalid value"},
      Invalid{pair + "  prefer_server_cipher_suites: perhaps\n", "must be true or false"},
      Invalid{"http_server_config: {headers: {Server: x}}", "this header cannot be configured"},
      Invalid{"http_server_config: {headers: {X-Frame-Options: allow}}",
              "invalid value 'allow', expected deny or sameorigin"},
      Invalid{"http_server_config: {headers: {X-XSS-Protection: \"1\\x01\"}}",
              "control characters"},
      Invalid{"basic_auth_users: {a: secret}", "line 1: a: is not a bcrypt hash"},
      Invalid{"basic_auth_users: {a: }", "a: is not a bcrypt hash"},
      Invalid{"basic_auth_users: {a: $1$" + hash.substr(4) + "}", "is not a bcrypt hash"},
      Invalid{"basic_auth_users: {a: $2x" + hash.substr(3) + "}", "is not a bcrypt hash"},
      Invalid{"basic_auth_users: {a: $2y$03" + hash.substr(6) + "}", "is not a bcrypt hash"},
      Invalid{"basic_auth_users: {a: $2y$32" + hash.substr(6) + "}", "is not a bcrypt hash"},
      Invalid{"basic_auth_users: {a: " + hash.substr(1) + "}", "is not a bcrypt hash"},
      Invalid{"basic_auth_users: {a: " + hash + "x}", "is not a bcrypt hash"},
      Invalid{"\tx: y", "line 1"},
      Invalid{"a: [", "line"},
      Invalid{"a: *nowhere", "line 1"},
      Invalid{"a: 'open", "line"},
      Invalid{std::string(2U << 20U, '#'), "is larger than"},
  };
  for (const auto& [text, error] : invalid) {
    EXPECT_THAT(error_of(text), HasSubstr(error)) << text.substr(0, 100);
  }
}

TEST(WebConfig, RejectsInputThatExhaustsResources) {
  std::string nested = "tls_server_config: ";
  nested.append(100'000, '[');
  EXPECT_NE(error_of(nested), "accepted");
  EXPECT_NE(error_of(std::string(100'000, '{')), "accepted");
  // Each alias contains the previous one ten times: 10^9 values if they are copied.
  std::string laughs = "a0: &a0 [x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) {
      laughs.append(j == 0 ? "" : ",").append(alias);
    }
    laughs += "]\n";
  }
  EXPECT_THAT(error_of(laughs), HasSubstr("unknown field"));
  EXPECT_THAT(error_of(pair + "  client_allowed_sans: &a [*a]\n"), HasSubstr("line 4"));
  EXPECT_THAT(error_of(pair + "  <<: {min_version: TLS10}\n"), HasSubstr("unknown field '<<'"));
}

TEST(WebConfig, SurvivesCorruption) {
  const std::string valid = pair + "basic_auth_users:\n  a: " + hash + "\n";
  for (std::size_t at = 0; at < valid.size(); at += 3) {
    error_of(valid.substr(0, at));
    for (const char byte : {'\0', '\t', '\xff', ':', '*', '&', '"', '{', '!', '%'}) {
      std::string broken = valid;
      broken[at] = byte;
      EXPECT_NO_FATAL_FAILURE(error_of(broken));
    }
  }
}

}  // namespace
}  // namespace inetdiag
