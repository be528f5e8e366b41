// Parsing of the query, of request headers and of listen addresses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/http/accept.h"
#include "exporter/http/collector_query.h"
#include "exporter/http/listen_address.h"
#include "exporter/http/listen_socket.h"
#include "exporter/http/scrape_timeout.h"

namespace inetdiag {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> enabled_names = {"nstat", "tcp", "listeners"};
const std::vector<std::string> all = {"nstat", "sysctl", "tcp", "listeners"};

Selection selected(std::string_view query) { return parse_selection(query, enabled_names, all); }

std::string error_of(std::string_view query) {
  try {
    selected(query);
    return "accepted";
  } catch (const BadRequest& error) {
    return error.what();
  }
}

TEST(Selection, DefaultsToEveryCollector) {
  EXPECT_THAT(selected(""), ElementsAre(0, 1, 2));
  EXPECT_THAT(selected("other=1&&=&x"), ElementsAre(0, 1, 2));
}

TEST(Selection, CollectsOrExcludes) {
  EXPECT_THAT(selected("collect[]=listeners&collect[]=nstat&collect[]=nstat"), ElementsAre(0, 2));
  EXPECT_THAT(selected("collect%5B%5D=tcp"), ElementsAre(1));
  EXPECT_THAT(selected("exclude[]=tcp"), ElementsAre(0, 2));
  EXPECT_THAT(selected("exclude[]=tcp&exclude[]=nstat&exclude[]=listeners"), IsEmpty());
}

TEST(Selection, NamesTheInvalidCollector) {
  EXPECT_THAT(error_of("collect[]=foo"), HasSubstr("unknown collector: 'foo'"));
  EXPECT_THAT(error_of("exclude[]=foo"), HasSubstr("unknown collector: 'foo'"));
  EXPECT_THAT(error_of("collect[]=sysctl"), HasSubstr("disabled collector: 'sysctl'"));
  EXPECT_THAT(error_of("collect[]="), HasSubstr("unknown collector: ''"));
  EXPECT_THAT(error_of("collect[]=%ff%zz%"), HasSubstr("unknown collector"));
  EXPECT_THAT(error_of("collect[]=tcp&exclude[]=nstat"), HasSubstr("cannot be combined"));
}

double timeout_seconds(std::string_view header) {
  return std::chrono::duration<double>(scrape_timeout(header)).count();
}

TEST(ScrapeTimeout, LeavesAMarginForTheResponse) {
  EXPECT_DOUBLE_EQ(timeout_seconds("10"), 9.5);
  EXPECT_DOUBLE_EQ(timeout_seconds("1"), 0.95);
  EXPECT_DOUBLE_EQ(timeout_seconds("0.5"), 0.475);
  EXPECT_DOUBLE_EQ(timeout_seconds(""), 9.5);
  EXPECT_DOUBLE_EQ(timeout_seconds("1e9"), 299.5);
}

TEST(ScrapeTimeout, IsPositiveForTheSmallestHeader) {
  EXPECT_GT(scrape_timeout("1E-9").count(), 0);
  EXPECT_GT(scrape_timeout("5e-324").count(), 0);
}

TEST(ScrapeTimeout, RejectsAnythingButAPositiveNumber) {
  for (const auto* header : {"0", "-1", "ten", "10s", "nan", "inf", " 10", "1,5"}) {
    EXPECT_THROW(scrape_timeout(header), BadRequest) << header;
  }
}

TEST(AcceptEncoding, AcceptsGzipByNameOrWildcard) {
  for (const auto* header : {"gzip", "deflate, gzip", "GZip", "gzip;q=0.5", "gzip ; q=1.0", "*",
                             "x-gzip", "identity;q=0, *;q=0.1", "br;q=1.0, gzip;q=0.001"}) {
    EXPECT_TRUE(accepts_gzip(header)) << header;
  }
  for (const auto* header : {"", "identity", "gzip;q=0", "gzip; q=0.000", "*;q=0", "gzip;q=0, *",
                             "deflate", "gzipped", ";", ",,", "br;gzip"}) {
    EXPECT_FALSE(accepts_gzip(header)) << header;
  }
}

TEST(AcceptEncoding, RejectsInvalidWeights) {
  for (const auto* header : {"gzip;q=", "gzip;q=x", "gzip;q=-1", "gzip;q=1.1", "gzip;q=nan",
                             "gzip;q=inf", "gzip;q=0.5.5", "*;q=1e9", "gzip;q=\"1\""}) {
    EXPECT_FALSE(accepts_gzip(header)) << header;
  }
}

TEST(Accept, PrefersOpenMetricsAsPrometheusAsksForIt) {
  for (const auto* header :
       {// Prometheus 2.42
        "application/openmetrics-text;version=1.0.0,"
        "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,"
        "*/*;q=0.1",
        // Prometheus 2.53
        "application/openmetrics-text;version=1.0.0;q=0.5,"
        "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,"
        "*/*;q=0.2",
        // Prometheus 3 with --enable-feature=created-timestamp-zero-ingestion
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
        "encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;"
        "escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,"
        "*/*;q=0.1",
        "application/openmetrics-text", "Application/OpenMetrics-Text ; Version=\"1.0.0\"",
        "text/plain;q=0.2,application/openmetrics-text;q=0.5,*/*;q=0.9",
        "application/openmetrics-text;q=0.001", "text/html, application/openmetrics-text;q=.5",
        "text/plain;version=1.0.0,application/openmetrics-text;q=0.1",
        "a;b=\",\";c,application/openmetrics-text", ",;,application/openmetrics-text;;=,"}) {
    EXPECT_TRUE(prefers_openmetrics(header)) << header;
  }
}

TEST(Accept, PrefersTextOtherwise) {
  for (const auto* header :
       {"",
        "*/*",
        "text/plain",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4",
        "application/openmetrics-text,text/plain",
        "application/openmetrics-text,text/plain;q=1.0",
        "application/openmetrics-text,*/*",
        "application/openmetrics-text;q=0.5,text/*",
        "application/openmetrics-text;version=0.0.1",
        "application/openmetrics-text;version=2.0.0",
        "application/openmetrics-text;version=1.0.0;q=0",
        "application/openmetrics-text;q=0.0",
        "application/openmetrics-text;q=",
        "application/openmetrics-text;q=x",
        "application/openmetrics-text;q=-1",
        "application/openmetrics-text;q=2",
        "application/openmetrics-text;q=nan",
        "application/openmetrics-text x",
        "application/openmetrics-textual",
        "application/openmetrics",
        "openmetrics-text",
        "application/openmetrics-text\tversion=1.0.0",
        "application/*",
        ",,,",
        ";;;",
        "\"",
        "\"\\",
        "a=\"b,application/openmetrics-text",
        "\"application/openmetrics-text\"",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily"}) {
    EXPECT_FALSE(prefers_openmetrics(header)) << header;
  }
}

TEST(ListenAddress, ParsesEachForm) {
  EXPECT_EQ(parse_listen_address(":10045"), (ListenAddress{"", 10045}));
  EXPECT_EQ(parse_listen_address("127.0.0.1:10045"), (ListenAddress{"127.0.0.1", 10045}));
  EXPECT_EQ(parse_listen_address("[0.0.0.0]:10045"), (ListenAddress{"0.0.0.0", 10045}));
  EXPECT_EQ(parse_listen_address("[fd00::1]:10045").text(), "[fd00::1]:10045");
  EXPECT_EQ(parse_listen_address(":10045").text(), ":10045");
  EXPECT_EQ(parse_listen_address("[::1]:0"), (ListenAddress{"::1", 0}));
  EXPECT_EQ(parse_listen_address("localhost:80"), (ListenAddress{"127.0.0.1", 80}));
}

TEST(ListenAddress, ParsesUnixSockets) {
  for (const auto* text : {"unix:/run/a.sock", "unix:///run/a.sock"}) {
    const ListenAddress address = parse_listen_address(text);
    EXPECT_EQ(address, (ListenAddress{.path = "/run/a.sock"})) << text;
    EXPECT_EQ(address.text(), "unix:/run/a.sock");
    EXPECT_EQ(address.url(true), "unix:/run/a.sock");
  }
  EXPECT_EQ(parse_listen_address("unix:/" + std::string(106, 'x')).path.size(), 107U);
  EXPECT_THROW(parse_listen_address("unix:/" + std::string(107, 'x')), std::invalid_argument);
}

TEST(ListenAddress, RejectsInvalidText) {
  for (const auto* text : {"unix:", "unix:run/a.sock", "unix:@a", "", "10045", ":", ":x", ":65536",
                           ":-1", "::1:80", "[::1]", "[x]:80", "[]:80x", "1.2.3.4.5.invalid:80"}) {
    EXPECT_THROW(parse_listen_address(text), std::invalid_argument) << text;
  }
}

TEST(ListenAddress, DoesNotBindToAnyAddressIfInvalid) {
  for (const auto* host : {"fe80::1%lo", "nowhere"}) {
    EXPECT_THROW(listen_on({host, 0}), std::runtime_error) << host;
  }
}

TEST(ListenAddress, FormatsAUrl) {
  EXPECT_EQ((ListenAddress{"", 80}.url()), "http://localhost:80/");
  EXPECT_EQ((ListenAddress{"0.0.0.0", 80}.url()), "http://localhost:80/");
  EXPECT_EQ((ListenAddress{"10.0.0.5", 80}.url()), "http://10.0.0.5:80/");
  EXPECT_EQ((ListenAddress{"::1", 80}.url()), "http://[::1]:80/");
  EXPECT_EQ((ListenAddress{"::", 80}.url()), "http://[::1]:80/");
}

}  // namespace
}  // namespace inetdiag
