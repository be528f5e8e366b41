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
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

/// Returns the single finding on a namespace that is pinned in the directory.
Finding only_finding(const std::string& netns, Namespace current,
                     const std::string& directory = "/run/netns") {
  if (!directory.empty()) {
    current.pin = directory + "/" + netns;
  }
  const auto time = std::chrono::steady_clock::now();
  const Status status = diagnose({time, {.namespaces = {{netns, std::move(current)}}}}, nullptr);
  EXPECT_EQ(status.findings.size(), 1U);
  return status.findings.at(0);
}

Namespace with_syn_sent(const std::string& pod = "") {
  return {.pod = pod, .values = {{std::string(metric::syn_sent_retransmitted), 5000}}};
}

Namespace full_of_time_wait(const std::string& pod = "") {
  return {
      .pod = pod,
      .values = {{std::string(metric::timewaits), 10}, {std::string(metric::max_tw_buckets), 10}}};
}

TEST(NamespaceScope, LeavesFindingsOnThisHostUnchanged) {
  const Finding finding = only_finding("", with_syn_sent());
  EXPECT_EQ(finding.affected.name, "this host (outgoing connections)");
  EXPECT_THAT(finding.summary, HasSubstr("connections of this host"));
  EXPECT_THAT(finding.action, HasSubstr("`ss -tno state syn-sent`"));
  const Finding limit = only_finding("", full_of_time_wait());
  EXPECT_EQ(limit.limit, "net.ipv4.tcp_max_tw_buckets = 10");
  EXPECT_THAT(limit.action, Not(HasSubstr("namespace")));
}

TEST(NamespaceScope, RunsCommandsWithIpNetnsInPinnedNamespaces) {
  const Finding finding = only_finding("blue", with_syn_sent());
  EXPECT_EQ(finding.affected.name, "namespace blue (outgoing connections)");
  EXPECT_THAT(finding.summary, HasSubstr("connections of namespace blue"));
  EXPECT_THAT(finding.action, HasSubstr("`ip netns exec blue ss -tno state syn-sent`"));
  EXPECT_THAT(finding.action, Not(HasSubstr("PID")));
}

TEST(NamespaceScope, RunsCommandsWithNsenterInOtherDirectories) {
  for (const char* directory : {"/run/docker/netns", "/run/docker/../docker/netns/"}) {
    const Finding finding = only_finding("1a2b3c", with_syn_sent(), directory);
    EXPECT_THAT(finding.action,
                AllOf(HasSubstr("`nsenter --net=/run/docker/netns/1a2b3c ss -tno state syn-sent`"),
                      Not(HasSubstr("PID"))));
  }
  // The directory of `ip netns`, in other spellings and as mounted in a container.
  for (const char* directory : {"/run/netns/", "/var/run/netns", "/host/run/netns"}) {
    EXPECT_THAT(only_finding("blue", with_syn_sent(), directory).action,
                HasSubstr("`ip netns exec blue ss "));
  }
  EXPECT_THAT(only_finding("blue", with_syn_sent(), "/a directory").action,
              HasSubstr("`nsenter -n -t PID ss "));
}

TEST(NamespaceScope, RunsCommandsByPidIfTheNamespaceIsNotPinnedOrItsPathNotShellSafe) {
  for (const Finding& finding :
       {only_finding("4026532761", with_syn_sent(), ""), only_finding("a;b", with_syn_sent()),
        only_finding("-n", with_syn_sent())}) {
    EXPECT_THAT(finding.action, AllOf(HasSubstr("`nsenter -n -t PID ss -tno state syn-sent`"),
                                      HasSubstr("`lsns -t net`")));
  }
}

TEST(NamespaceScope, SetsSysctlsInTheNamespace) {
  const Finding finding = only_finding("blue", full_of_time_wait());
  EXPECT_EQ(finding.affected.name, "net.ipv4.tcp_max_tw_buckets in namespace blue");
  EXPECT_EQ(finding.limit, "net.ipv4.tcp_max_tw_buckets = 10, in namespace blue");
  EXPECT_THAT(finding.action, HasSubstr("`ip netns exec blue sysctl -w ...`"));
}

TEST(NamespaceScope, SetsSysctlsOfAPodInItsSecurityContext) {
  const Finding finding = only_finding("cni-1", full_of_time_wait("shop/web-0"));
  EXPECT_EQ(finding.affected.name, "net.ipv4.tcp_max_tw_buckets in pod shop/web-0");
  EXPECT_THAT(finding.action,
              AllOf(HasSubstr("securityContext.sysctls"), Not(HasSubstr("sysctl -w"))));
  EXPECT_EQ(only_finding("cni-1", with_syn_sent("shop/web-0")).affected.name,
            "pod shop/web-0 (outgoing connections)");
}

TEST(NamespaceScope, SetsReceiveBufferSysctlsOnTheHost) {
  const Finding finding =
      only_finding("blue", {.udp = {{.endpoint = {"::", "53", ""}, .fill = 1}}});
  EXPECT_THAT(finding.action,
              AllOf(HasSubstr("Both sysctls are host-wide."), Not(HasSubstr("sysctl -w"))));
}

TEST(NamespaceScope, SelectsTheNamespaceOfOurOwnCommand) {
  const Namespace full = {
      .listeners = {{.endpoint = {"::", "443", ""}, .waiting = 129, .backlog = 128, .fill = 1}}};
  const auto action = [&](const char* netns, const char* directory) {
    return only_finding(netns, full, directory).action;
  };
  constexpr const char* arguments =
      " --top=peer --port=443 --waiting` shows which clients are in it.";
  EXPECT_THAT(action("", "/run/netns"),
              EndsWith(std::string("`inetdiag_exporter sockets") + arguments));
  EXPECT_THAT(action("blue", "/run/netns"),
              HasSubstr(std::string("`inetdiag_exporter sockets --netns=blue") + arguments));
  EXPECT_THAT(action("blue", "/host/run/netns"),
              HasSubstr(std::string("`inetdiag_exporter sockets --netns=blue") + arguments));
  EXPECT_THAT(
      action("1a2b3c", "/run/docker/netns/"),
      HasSubstr(
          std::string("`inetdiag_exporter sockets --path.netns=/run/docker/netns --netns=1a2b3c") +
          arguments));
  EXPECT_THAT(
      action("4026532761", ""),
      AllOf(HasSubstr(std::string("`nsenter -n -t PID inetdiag_exporter sockets") + arguments),
            HasSubstr("`lsns -t net`"), Not(HasSubstr("--netns="))));
}

TEST(NamespaceScope, NamesANamespaceOnce) {
  const auto snapshot = [](double overflows) {
    return Snapshot{
        .namespaces = {{"blue",
                        {.pin = "/run/netns/blue",
                         .values = {{std::string(metric::abort_on_overflow), 1},
                                    {std::string(metric::listen_overflows), overflows}}}}}};
  };
  const TimedSnapshot before{std::chrono::steady_clock::now(), snapshot(1)};
  const Status status = diagnose({before.time + std::chrono::seconds(5), snapshot(2)}, &before);
  ASSERT_EQ(status.findings.size(), 1U);
  EXPECT_EQ(status.findings[0].affected.name, "namespace blue");
  EXPECT_THAT(status.findings[0].action, HasSubstr("`ip netns exec blue sysctl -w ...`"));
}

}  // namespace
}  // namespace inetdiag::diagnosis
