#include "exporter/diagnosis/namespace_scope.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/diagnosis/metric_names.h"
#include "exporter/diagnosis/rules.h"
#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// The one finding of a namespace, as `check` tells it.
Finding acknowledge(const std::string& netns, const Namespace& there,
                    const std::string& folder = "/run/netns") {
  const auto time = std::chrono::steady_clock::now();
  const Status status =
      diagnose({time, {.namespaces = {{netns, there}}, .netns_folder = folder}}, nullptr);
  EXPECT_EQ(status.findings.size(), 1U);
  return status.findings.at(0);
}

Namespace waiting(const std::string& pod = "") {
  return {.pod = pod, .tcp_states = {{"syn_sent", 5000}}};
}

Namespace full_of_time_wait(const std::string& pod = "") {
  return {
      .pod = pod,
      .values = {{std::string(metric::timewaits), 10}, {std::string(metric::max_tw_buckets), 10}}};
}

TEST(NamespacedCollector, TheOwnNamespaceIsThisHost) {
  const Finding finding = acknowledge("", waiting());
  EXPECT_EQ(finding.affected.name, "this host, as a client");
  EXPECT_THAT(finding.summary, HasSubstr("this host begins"));
  EXPECT_THAT(finding.action, HasSubstr("`ss -tn state syn-sent`"));
  const Finding limit = acknowledge("", full_of_time_wait());
  EXPECT_EQ(limit.limit, "net.ipv4.tcp_max_tw_buckets, 10");
  EXPECT_THAT(limit.action, Not(HasSubstr("namespace")));
}

TEST(NamespacedCollector, CommandsRunWhereTheNamespaceIsPinned) {
  const Finding finding = acknowledge("blue", waiting());
  EXPECT_EQ(finding.affected.name, "namespace blue, as a client");
  EXPECT_THAT(finding.summary, HasSubstr("namespace blue begins"));
  EXPECT_THAT(finding.action, HasSubstr("`ip netns exec blue ss -tn state syn-sent`"));
  EXPECT_THAT(finding.action, Not(HasSubstr("PID")));
}

TEST(NamespacedCollector, CommandsEnterByAPathWhatIpNetnsDoesNotFind) {
  for (const char* folder : {"/run/docker/netns", "/run/docker/../docker/netns/"}) {
    const Finding finding = acknowledge("1a2b3c", waiting(), folder);
    EXPECT_THAT(finding.action,
                AllOf(HasSubstr("`nsenter --net=/run/docker/netns/1a2b3c ss -tn state syn-sent`"),
                      Not(HasSubstr("PID"))));
  }
  // What ip has on the host, as it is seen here, there and in a container.
  for (const char* folder : {"/run/netns/", "/var/run/netns", "/host/run/netns"}) {
    EXPECT_THAT(acknowledge("blue", waiting(), folder).action,
                HasSubstr("`ip netns exec blue ss "));
  }
  EXPECT_THAT(acknowledge("blue", waiting(), "/a folder").action,
              HasSubstr("`nsenter -n -t PID ss "));
}

TEST(NamespacedCollector, CommandsRunBesideAProcessWhereTheNamespaceHasNoName) {
  // What no shell should see is no name either.
  for (const char* netns : {"4026532761", "a;b", "-n"}) {
    const Finding finding = acknowledge(netns, waiting());
    EXPECT_THAT(finding.action, AllOf(HasSubstr("`nsenter -n -t PID ss -tn state syn-sent`"),
                                      HasSubstr("`lsns -t net`")));
  }
}

TEST(NamespacedCollector, SysctlsAreTheNamespacesOwn) {
  const Finding finding = acknowledge("blue", full_of_time_wait());
  EXPECT_EQ(finding.affected.name, "net.ipv4.tcp_max_tw_buckets in namespace blue");
  EXPECT_EQ(finding.limit, "net.ipv4.tcp_max_tw_buckets, 10, in namespace blue");
  EXPECT_THAT(finding.action, HasSubstr("`ip netns exec blue sysctl -w ...`"));
}

TEST(NamespacedCollector, SysctlsOfAPodAreSetInItsSpecification) {
  const Finding finding = acknowledge("cni-1", full_of_time_wait("shop/web-0"));
  EXPECT_EQ(finding.affected.name, "net.ipv4.tcp_max_tw_buckets in pod shop/web-0");
  EXPECT_THAT(finding.action,
              AllOf(HasSubstr("securityContext.sysctls"), Not(HasSubstr("sysctl -w"))));
  EXPECT_EQ(acknowledge("cni-1", waiting("shop/web-0")).affected.name,
            "pod shop/web-0, as a client");
}

TEST(NamespacedCollector, ReceiveBuffersAreBoundByTheHost) {
  const Finding finding = acknowledge("blue", {.udp = {{.endpoint = {"::", "53", ""}, .fill = 1}}});
  EXPECT_THAT(finding.action,
              AllOf(HasSubstr("Both sysctls are the host's."), Not(HasSubstr("sysctl -w"))));
}

TEST(NamespacedCollector, ANamespaceIsNamedOnce) {
  const Finding finding = acknowledge("blue", {.values = {{std::string(metric::syncookies), 2}}});
  EXPECT_EQ(finding.affected.name, "namespace blue");
  EXPECT_THAT(finding.action, HasSubstr("`ip netns exec blue sysctl -w ...`"));
}

}  // namespace
}  // namespace inetdiag::diagnosis
