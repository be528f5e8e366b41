#include "exporter/cli/command_line.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "collectors/registry.h"

namespace inetdiag {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

CommandLine parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "inetdiag_exporter");
  return parse_command_line(arguments, registry());
}

std::vector<std::string> enabled(std::vector<const char*> arguments) {
  std::vector<std::string> names;
  const CommandLine command_line = parse(std::move(arguments));
  EXPECT_TRUE(command_line.options) << command_line.text;
  for (const auto& collector : command_line.options->collectors) {
    names.push_back(collector.name);
  }
  return names;
}

TEST(Options, HaveDefaults) {
  const CommandLine command_line = parse({});
  ASSERT_TRUE(command_line.options);
  const Options& options = *command_line.options;
  EXPECT_THAT(options.listen_addresses, ElementsAre(ListenAddress{"", 10045}));
  EXPECT_EQ(options.web.telemetry_path, "/metrics");
  EXPECT_EQ(options.web.max_requests, 40U);
  EXPECT_TRUE(options.exporter_metrics);
  EXPECT_EQ(options.proc, "/proc");
  EXPECT_EQ(options.sys, "/sys");
  EXPECT_EQ(options.log_level, spdlog::level::info);
  EXPECT_EQ(options.log_format, LogFormat::logfmt);
}

TEST(Options, AreTaken) {
  const CommandLine command_line =
      parse({"--web.listen-address=127.0.0.1:1", "--web.listen-address", ":2",
             "--web.telemetry-path=/m", "--web.max-requests=010", "--web.disable-exporter-metrics",
             "--path.procfs=/", "--path.sysfs", "/", "--log.level=error", "--log.format=json"});
  ASSERT_TRUE(command_line.options) << command_line.text;
  const Options& options = *command_line.options;
  EXPECT_THAT(options.listen_addresses,
              ElementsAre(ListenAddress{"127.0.0.1", 1}, ListenAddress{"", 2}));
  EXPECT_EQ(options.web.telemetry_path, "/m");
  EXPECT_EQ(options.web.max_requests, 10U);
  EXPECT_FALSE(options.exporter_metrics);
  EXPECT_EQ(options.proc, "/");
  EXPECT_EQ(options.sys, "/");
  EXPECT_EQ(options.log_level, spdlog::level::err);
  EXPECT_EQ(options.log_format, LogFormat::json);
}

TEST(Options, ChooseCollectors) {
  EXPECT_THAT(enabled({}), Contains("listeners"));
  EXPECT_THAT(enabled({"--no-collector.listeners"}), Not(Contains("listeners")));
  EXPECT_THAT(enabled({"--collector.disable-defaults", "--collector.tcp"}), ElementsAre("tcp"));
}

TEST(Options, HaveAFlagForEachCollectorAndSetting) {
  const std::string help = parse({"--help"}).text;
  for (const CollectorEntry& entry : registry()) {
    const std::string flag = "collector." + std::string(entry.name);
    EXPECT_THAT(help, HasSubstr("--" + flag + ",--no-" + flag));
    for (const SettingSpec& setting : entry.settings) {
      EXPECT_THAT(help, HasSubstr("--" + flag + "." + std::string(setting.name) + " " +
                                  std::string(setting.placeholder)));
    }
  }
  EXPECT_THAT(help, Not(HasSubstr("{false}")));
}

TEST(Options, PrintHelpAndVersionWithSuccess) {
  EXPECT_EQ(parse({"--help"}).exit_status, 0);
  EXPECT_THAT(parse({"--help"}).text, HasSubstr("--web.listen-address"));
  EXPECT_EQ(parse({"--version"}).exit_status, 0);
  EXPECT_THAT(parse({"--version"}).text, HasSubstr("inetdiag_exporter, version "));
}

struct Wrong {
  std::vector<const char*> arguments;
  const char* text;
  int exit_status = 1;
};

class WrongOptions : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongOptions, AreRefusedWithATextThatNamesThem) {
  const CommandLine command_line = parse(GetParam().arguments);
  EXPECT_FALSE(command_line.options);
  EXPECT_EQ(command_line.exit_status, GetParam().exit_status);
  EXPECT_THAT(command_line.text, HasSubstr(GetParam().text));
  EXPECT_THAT(command_line.text, EndsWith("\nTry 'inetdiag_exporter --help'.\n"));
  EXPECT_EQ(std::ranges::count(command_line.text, '\n'), 2);
}

INSTANTIATE_TEST_SUITE_P(
    Each, WrongOptions,
    ::testing::Values(
        Wrong{{"--nope"}, "--nope: no such flag\n"},
        Wrong{{"--nope=1", "--other"}, "--nope: no such flag\n"},
        Wrong{{"--web.listen-addres=:1"}, "flag; did you mean --web.listen-address?"},
        Wrong{{"-web.listen-address=:1"}, "with two dashes, --web.listen-address"},
        Wrong{{"stray"}, "'stray' is no command; there are check, print and sockets\n"},
        Wrong{{"chek", "--interval=1s"}, "'chek' is no command"},
        Wrong{{"chek"}, "; did you mean check?"}, Wrong{{"a\nb\x1b"}, "'a?b?' is no command"},
        Wrong{{""}, "an argument is empty; leave it out"},
        Wrong{{"--interval=1s"}, "write it as inetdiag_exporter check --interval=1s"},
        Wrong{{"--format=json"}, "--format is a flag of the command check, print or sockets;"},
        Wrong{{"print", "--interval=1s"}, "is a flag of the command check, not of print", 2},
        Wrong{{"sockets", "443"}, "'443' stands behind the command sockets, which takes flags"},
        Wrong{{"check", "print"}, "'print' stands behind the command check; give one", 3},
        Wrong{{"--web.listen-address=10045"}, "--web.listen-address: '10045' has no port"},
        Wrong{{"--web.listen-address"}, "missing; write it as --web.listen-address=ADDRESS"},
        Wrong{{"--web.listen-address=:1", "--web.listen-address"}, "its value is missing"},
        Wrong{{"--web.config.file="}, "--web.config.file: its value is missing; write it as"},
        Wrong{{"--web.config.file", ""}, "--web.config.file: its value is empty; write it as"},
        Wrong{{"--statsd.address", ""}, "--statsd.address: its value is empty"},
        Wrong{{"print", "--output", ""}, "--output: its value is empty", 2},
        Wrong{{"--log.level=info", "--log.level=warn"}, "--log.level: given 2 times; write it"},
        Wrong{{"--web.telemetry-path=metrics"}, "--web.telemetry-path: 'metrics'"},
        Wrong{{"--web.telemetry-path=/"}, "--web.telemetry-path: '/'"},
        Wrong{{"--web.telemetry-path=/-/ready"}, "--web.telemetry-path: '/-/ready'"},
        Wrong{{"--web.max-requests=many"},
              "--web.max-requests: 'many' is not a whole number from 0 to 4294967295"},
        Wrong{{"--web.max-requests=-1"}, "--web.max-requests: '-1' is not"},
        Wrong{{"--web.max-requests=4294967296"}, "--web.max-requests: '4294967296' is not"},
        Wrong{{"--path.procfs=/nowhere/at/all"},
              "--path.procfs: '/nowhere/at/all' is not a directory"},
        Wrong{{"--log.level=loud"}, "--log.level: 'loud' is none of debug, error, info, warn"},
        Wrong{{"--log.format=xml"}, "--log.format: 'xml' is none of"},
        Wrong{{"--collector.nope"}, "--collector.nope: no such collector; there are conntrack, "},
        Wrong{{"--no-collector.nope"}, "--no-collector.nope: no such collector; there are "},
        Wrong{{"--collector.listner"}, "; did you mean --collector.listeners?"},
        Wrong{{"--collector.listeners=maybe"},
              "--collector.listeners: takes no value; leave '=maybe' out"},
        Wrong{{"--collector.listeners.max=0"}, "--collector.listeners.max: '0' is not"},
        Wrong{{"--collector.listeners.max=1", "--collector.listeners.max=2"},
              "--collector.listeners.max: given 2 times"},
        Wrong{{"--collector.tcp.max-ports=70000"}, "--collector.tcp.max-ports: '70000' is not"},
        Wrong{{"--collector.nstat.include=("}, "--collector.nstat.include: '(' is not a regular"},
        Wrong{{"--collector.sysctl.include=../x"}, "--collector.sysctl.include: '../x' is not"},
        Wrong{{"--netns.discover=some"}, "--netns.discover: 'some' is none of"},
        Wrong{{"--netns.max=-1"}, "--netns.max: '-1' is not"},
        Wrong{{"--netns.max=all"}, "--netns.max: 'all' is not"},
        Wrong{{"--netns.include=("}, "--netns.include: '(' is not a regular expression"},
        Wrong{{"--netns.exclude=["}, "--netns.exclude: '[' is not a regular expression"},
        Wrong{{"--netns.nstat.include=*"}, "--netns.nstat.include: '*' is not a regular"},
        Wrong{{"--collector.disable-defaults"}, "no collector is enabled"},
        Wrong{{"--no-web"}, "--no-web leaves nothing to do"},
        Wrong{{"--statsd.address=8125"}, "--statsd.address: '8125' has no port"},
        Wrong{{"--statsd.interval=10"},
              "--statsd.interval: '10' is not a time from 0.1s to 60m; write it with its unit"},
        Wrong{{"--statsd.interval=1ms"}, "--statsd.interval: '1ms' is not a time from 0.1s"},
        Wrong{{"--statsd.prefix=a b"}, "--statsd.prefix: 'a b'"},
        Wrong{{"--statsd.format=statsd"}, "--statsd.format: 'statsd' is none of"},
        Wrong{{"--statsd.mtu=100"}, "--statsd.mtu: '100' is not a whole number from 256 to 65507"},
        Wrong{{"--statsd.mtu=65508"}, "--statsd.mtu: '65508' is not"},
        Wrong{{"print", "--format=xml"}, "--format: 'xml' is none of", 2},
        Wrong{{"sockets", "--state=ESTAB"}, "--state: 'ESTAB' is none of close, "},
        Wrong{{"sockets", "--port=65536"}, "--port: '65536' is not a whole number from 0 to 65535"},
        Wrong{{"sockets", "--port=-1"}, "--port: '-1' is not"},
        Wrong{{"sockets", "--port=http"}, "--port: 'http' is not"},
        Wrong{{"sockets", "--peer=10.0.0.0/33"}, "--peer: '10.0.0.0/33'"},
        Wrong{{"sockets", "--summary", "--format=table"}, "--format=table: --summary is JSON"},
        Wrong{{"sockets", "--family=5"}, "--family: '5' is none of 4, 6"},
        Wrong{{"sockets", "--format=xml"}, "--format: 'xml' is none of"}));

/// `FLAGS: WHY` of each line that the log gets.
std::vector<std::string> idle(std::vector<const char*> arguments) {
  const CommandLine line = parse(std::move(arguments));
  EXPECT_TRUE(line.options) << line.text;
  std::vector<std::string> texts;
  for (const auto& [flags, why] : line.options->idle) {
    texts.push_back(flags + ": " + why);
  }
  return texts;
}

TEST(UnusedFlags, OfStatsdWithoutItsAddress) {
  const char* interval = "--statsd.interval=1s";
  EXPECT_THAT(idle({interval, "--statsd.prefix=a", "--statsd.format=none", "--statsd.mtu=500"}),
              ElementsAre("--statsd.interval --statsd.prefix --statsd.format --statsd.mtu: "
                          "--statsd.address is not given"));
  EXPECT_THAT(idle({interval, "--statsd.address=unix:///a"}), IsEmpty());
  EXPECT_THAT(idle({"check", interval}), IsEmpty());
}

TEST(UnusedFlags, OfOtherNamespacesThatNobodyAsks) {
  const char* most = "--netns.max=5";
  EXPECT_THAT(idle({most, "--path.netns=/a", "--path.pod-logs=/b"}),
              ElementsAre("--netns.max --path.netns --path.pod-logs: --netns.discover is not "
                          "given"));
  EXPECT_THAT(idle({"print", most}), SizeIs(1));
  EXPECT_THAT(idle({most, "--netns.discover=off"}), IsEmpty());
  EXPECT_THAT(idle({most, "--netns.discover=pinned"}), IsEmpty());
  EXPECT_THAT(idle({"sockets", "--netns=blue", "--path.netns=/a"}), IsEmpty());
}

TEST(UnusedFlags, OfADisabledCollector) {
  const char* ports = "--collector.tcp.max-ports=5";
  const char* budget = "--collector.tcp.cpu-budget=5%";
  const char* off = "--no-collector.tcp";
  EXPECT_THAT(idle({ports, budget, off}),
              ElementsAre("--collector.tcp.max-ports --collector.tcp.cpu-budget: the collector is "
                          "not enabled"));
  EXPECT_THAT(idle({ports, budget}), IsEmpty());
  EXPECT_THAT(idle({budget, off, "--netns.discover=pinned"}), IsEmpty());
  EXPECT_THAT(idle({"--collector.disable-defaults", "--collector.unix", ports}), SizeIs(1));
  EXPECT_THAT(idle({"--collector.disable-defaults", "--collector.tcp", ports}), IsEmpty());
}

TEST(UnusedFlags, OfTheServerThatIsNone) {
  const char* no_web = "--no-web";
  const char* statsd = "--statsd.address=unix:///a";
  EXPECT_THAT(idle({no_web, statsd, "--web.listen-address=:1", "--web.config.file=/a"}),
              ElementsAre("--web.listen-address --web.config.file: --no-web is given"));
  EXPECT_THAT(idle({no_web, statsd, "--web.disable-exporter-metrics"}), IsEmpty());
  EXPECT_THAT(idle({"--web.listen-address=:1"}), IsEmpty());
}

TEST(Options, AskNoOtherNamespaceUnlessToldTo) {
  const CommandLine line = parse({});
  EXPECT_EQ(line.options->netns.discovery, Discovery::off);
  EXPECT_EQ(missing_privileges(line.options->netns), "");
  EXPECT_THAT(enabled({}), Not(Contains("netns")));
}

TEST(Options, OfOtherNamespacesAreTaken) {
  const CommandLine line =
      parse({"--netns.discover=all", "--netns.max=7", "--netns.include=^cni-", "--netns.exclude=x",
             "--netns.nstat.include=Listen", "--path.netns=/a", "--path.pod-logs=/b",
             "--collector.tcp.cpu-budget=5%"});
  ASSERT_TRUE(line.options) << line.text;
  const NetnsOptions& netns = line.options->netns;
  EXPECT_TRUE(netns.with_pinned());
  EXPECT_TRUE(netns.with_processes());
  EXPECT_EQ(netns.max, 7U);
  EXPECT_TRUE(netns.include && std::regex_search("cni-1", *netns.include));
  EXPECT_TRUE(netns.exclude && std::regex_search("x", *netns.exclude));
  EXPECT_EQ(netns.nstat_include, "Listen");
  EXPECT_EQ(netns.folder, "/a");
  EXPECT_EQ(line.options->check.netns_folder, "/a");
  EXPECT_EQ(line.options->web.netns_folder, "/a");
  EXPECT_EQ(netns.pod_logs, "/b");
  EXPECT_DOUBLE_EQ(netns.dump_budget, 0.05);
  EXPECT_THAT(enabled({"--netns.discover=pinned"}), Contains("netns"));
}

TEST(Options, CountersElsewhereAreThoseThatTell) {
  const std::regex wanted(parse({"--netns.discover=pinned"}).options->netns.nstat_include);
  for (const auto* name :
       {"TcpExtListenDrops", "TcpExtListenOverflows", "TcpExtTCPReqQFullDoCookies",
        "TcpExtTCPReqQFullDrop", "TcpExtSyncookiesSent", "TcpExtTCPTimeWaitOverflow",
        "TcpRetransSegs", "TcpOutRsts", "TcpEstabResets", "UdpRcvbufErrors", "Udp6RcvbufErrors",
        "TcpExtTCPAbortOnMemory"}) {
    EXPECT_TRUE(std::regex_search(name, wanted)) << name;
  }
  for (const auto* name : {"IpInReceives", "TcpExtTCPPureAcks", "Ip6InOctets", "IcmpInMsgs"}) {
    EXPECT_FALSE(std::regex_search(name, wanted)) << name;
  }
}

TEST(Options, ServesUnlessToldOtherwise) { EXPECT_EQ(parse({}).options->command, Command::serve); }

TEST(Options, ChecksWithFlagsOnEitherSide) {
  const CommandLine line = parse({"--log.level=error", "check", "--interval", "250ms",
                                  "--format=json", "--no-collector.nstat"});
  ASSERT_TRUE(line.options) << line.text;
  EXPECT_EQ(line.options->command, Command::check);
  EXPECT_DOUBLE_EQ(line.options->check.interval_seconds, 0.25);
  EXPECT_EQ(line.options->check.format, CheckFormat::json);
  EXPECT_EQ(line.options->log_level, spdlog::level::err);
  EXPECT_DOUBLE_EQ(parse({"check"}).options->check.interval_seconds, 1);
}

TEST(Options, RefusesAnIntervalThatIsNoTime) {
  for (const auto* interval :
       {"--interval=5", "--interval=-1s", "--interval=2h", "--interval=soon", "--interval=nans"}) {
    const CommandLine line = parse({"check", interval});
    EXPECT_FALSE(line.options) << interval;
    EXPECT_THAT(line.text, HasSubstr("--interval")) << interval;
    EXPECT_EQ(line.exit_status, 3);  // 1 would be a warning about the host
  }
}

TEST(Options, Print) {
  const CommandLine line =
      parse({"print", "--format=json", "--output", "file", "--no-collector.tcp"});
  ASSERT_TRUE(line.options) << line.text;
  EXPECT_EQ(line.options->command, Command::print);
  EXPECT_EQ(line.options->print.format, PrintFormat::json);
  EXPECT_EQ(line.options->print.output, "file");
}

TEST(Options, ListSockets) {
  const CommandLine line =
      parse({"sockets", "--state=listen", "--state", "time_wait", "--port=0", "--port=65535",
             "--peer=::1", "--peer", "10.0.0.0/8", "--family=4", "--netns=blue", "--summary"});
  ASSERT_TRUE(line.options) << line.text;
  EXPECT_EQ(line.options->command, Command::sockets);
  const SocketsOptions& sockets = line.options->sockets;
  EXPECT_EQ(sockets.filter.states,
            mask(kernel::TcpState::listen) | mask(kernel::TcpState::time_wait));
  EXPECT_THAT(sockets.filter.ports, ElementsAre(0, 65535));
  EXPECT_THAT(sockets.filter.peers,
              ElementsAre(kernel::parse_address_prefix("::1").value(),
                          kernel::parse_address_prefix("10.0.0.0/8").value()));
  EXPECT_EQ(sockets.filter.family, AF_INET);
  EXPECT_EQ(sockets.netns, "blue");
  EXPECT_TRUE(sockets.summary);
  EXPECT_EQ(parse({"sockets"}).options->sockets.filter.states, kernel::all_tcp_states);
}

TEST(Options, PushToStatsd) {
  const CommandLine line =
      parse({"--no-web", "--statsd.address=[::1]:8125", "--statsd.interval=500ms",
             "--statsd.prefix=web.", "--statsd.format=influxdb", "--statsd.mtu=8000"});
  ASSERT_TRUE(line.options) << line.text;
  EXPECT_TRUE(line.options->no_web);
  const statsd::Options& statsd = line.options->statsd;
  EXPECT_EQ(statsd.address, (statsd::Address{.host = "::1", .port = "8125"}));
  EXPECT_DOUBLE_EQ(statsd.interval_seconds, 0.5);
  EXPECT_EQ(statsd.style.prefix, "web");
  EXPECT_EQ(statsd.style.tags, statsd::TagFormat::influxdb);
  EXPECT_EQ(statsd.mtu, 8000U);
  EXPECT_FALSE(parse({}).options->statsd.address);
}

TEST(Options, TellsOfCheckInItsHelp) {
  EXPECT_THAT(parse({"--help"}).text, HasSubstr("check"));
  EXPECT_THAT(parse({"check", "--help"}).text, HasSubstr("--interval"));
}

}  // namespace
}  // namespace inetdiag
