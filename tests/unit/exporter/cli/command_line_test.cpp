#include "exporter/cli/command_line.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "collectors/kernel/base/text.h"
#include "collectors/registry.h"

namespace inetdiag {
namespace {

using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
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
  EXPECT_EQ(options.web.max_requests, 12U);
  EXPECT_TRUE(options.exporter_metrics);
  EXPECT_EQ(options.paths.procfs, "/proc");
  EXPECT_EQ(options.paths.sysfs, "/sys");
  EXPECT_EQ(options.log_level, spdlog::level::info);
  EXPECT_EQ(options.log_format, std::nullopt);
}

TEST(Options, FollowTheFlags) {
  const CommandLine command_line =
      parse({"--web.listen-address=127.0.0.1:1", "--web.listen-address", ":2",
             "--web.telemetry-path=/m", "--web.max-requests=007", "--web.disable-exporter-metrics",
             "--path.procfs=/", "--path.sysfs", "/", "--log.level=error", "--log.format=json"});
  ASSERT_TRUE(command_line.options) << command_line.text;
  const Options& options = *command_line.options;
  EXPECT_THAT(options.listen_addresses,
              ElementsAre(ListenAddress{"127.0.0.1", 1}, ListenAddress{"", 2}));
  EXPECT_EQ(options.web.telemetry_path, "/m");
  EXPECT_EQ(options.web.max_requests, 7U);
  EXPECT_FALSE(options.exporter_metrics);
  EXPECT_EQ(options.paths.procfs, "/");
  EXPECT_EQ(options.paths.sysfs, "/");
  EXPECT_EQ(options.log_level, spdlog::level::err);
  EXPECT_EQ(options.log_format, LogFormat::json);
}

TEST(Options, EnableAndDisableCollectors) {
  EXPECT_THAT(enabled({}), Contains("listeners"));
  EXPECT_THAT(enabled({"--no-collector.listeners"}), Not(Contains("listeners")));
  EXPECT_THAT(enabled({"--collector.disable-defaults", "--collector.tcp"}), ElementsAre("tcp"));
}

TEST(Help, ListsAFlagForEachCollectorAndSetting) {
  const std::string help = parse({"--help"}).text;
  for (const CollectorEntry& entry : registry()) {
    const std::string flag = "collector." + std::string(entry.name);
    EXPECT_THAT(help, HasSubstr("--" + flag + ", --no-" + flag));
    for (const SettingSpec& setting : entry.settings) {
      EXPECT_THAT(help, HasSubstr("--" + flag + "." + std::string(setting.name) + " " +
                                  std::string(setting.placeholder)));
    }
  }
  EXPECT_THAT(help, Not(HasSubstr("{false}")));
}

TEST(HelpAndVersion, ExitWithSuccess) {
  EXPECT_EQ(parse({"--help"}).exit_status, 0);
  EXPECT_THAT(parse({"--help"}).text, HasSubstr("--web.listen-address"));
  EXPECT_EQ(parse({"--version"}).exit_status, 0);
  EXPECT_THAT(parse({"--version"}).text, HasSubstr("inetdiag_exporter, version "));
}

struct Misuse {
  std::vector<const char*> arguments;
  const char* text;
  int exit_status = 1;
};

TEST(SocketsFlags, AcceptTheSpellingsOfSs) {
  const auto states = [](const char* flag) {
    return parse({"sockets", flag}).options->sockets.filter.states;
  };
  using kernel::TcpState;
  EXPECT_EQ(states("--state=ESTAB"), mask(TcpState::established));
  EXPECT_EQ(states("--state=close-wait,TIME-WAIT"),
            mask(TcpState::close_wait) | mask(TcpState::time_wait));
  EXPECT_EQ(states("--state=fin-wait-1,FIN_WAIT_2"),
            mask(TcpState::fin_wait1) | mask(TcpState::fin_wait2));
  EXPECT_EQ(states("--state=listening,UNCONN"), mask(TcpState::listen) | mask(TcpState::close));
  EXPECT_THAT(
      parse({"sockets", "--port=443,8443", "--port=1000-2000"}).options->sockets.filter.ports,
      ElementsAre(kernel::PortRange{443, 443}, kernel::PortRange{8443, 8443},
                  kernel::PortRange{1000, 2000}));
}

TEST(Help, HasAtMost80Columns) {
  for (const std::vector<const char*>& arguments : std::vector<std::vector<const char*>>{
           {"--help"}, {"check", "--help"}, {"print", "--help"}, {"sockets", "--help"}}) {
    const std::string help = parse(arguments).text;
    std::string_view rest = help;
    while (!rest.empty()) {
      EXPECT_LE(kernel::next_line(rest).size(), 80U);
    }
  }
}

TEST(Help, HasATableWithTheValuesOfFlags) {
  const CommandLine table = parse({"--help-table"});
  EXPECT_EQ(table.exit_status, 0);
  EXPECT_THAT(table.text, HasSubstr("\nflag\tprint\tOptions\t--format\tNAME\tjson,openmetrics,"
                                    "prometheus\tprometheus\t"));
  EXPECT_THAT(table.text, HasSubstr("\nflag\t\tOptions\t-h,--help\t\t\t\tPrint this help"));
  EXPECT_THAT(table.text, HasSubstr("\ncommand\tsockets\tList TCP sockets"));
  EXPECT_THAT(table.text, Not(HasSubstr("--help-table")));
}

class UsageError : public ::testing::TestWithParam<Misuse> {};

TEST_P(UsageError, HasAMessageOfOneLine) {
  const CommandLine command_line = parse(GetParam().arguments);
  EXPECT_FALSE(command_line.options);
  EXPECT_EQ(command_line.exit_status, GetParam().exit_status);
  EXPECT_THAT(command_line.text, HasSubstr(GetParam().text));
  EXPECT_THAT(command_line.text,
              ContainsRegex("\nTry 'inetdiag_exporter (check |print |sockets )?--help'\\.\n$"));
  EXPECT_EQ(std::ranges::count(command_line.text, '\n'), 2);
}

INSTANTIATE_TEST_SUITE_P(
    CommandLines, UsageError,
    ::testing::Values(
        Misuse{{"--nope"}, "unknown flag --nope\n"},
        Misuse{{"print", "--foramt=json"}, "unknown flag --foramt; did you mean --format?\n", 2},
        Misuse{{"--collector.netns"}, "this collector is enabled by --netns.discover\n"},
        Misuse{{"sockets", "--state=foo"}, "--state: invalid value 'foo', expected one of"},
        Misuse{{"sockets", "--state=estab,,listen"}, "--state: invalid value ''"},
        Misuse{{"sockets", "--port=9-8"}, "--port: '9-8' is not a port or a range"},
        Misuse{{"sockets", "--port=1-65536"}, "--port: '1-65536' is not a port or a range"},
        Misuse{{"--nope=1", "--other"}, "unknown flag --nope\n"},
        Misuse{{"--web.listen-addres=:1"},
               "unknown flag --web.listen-addres; did you mean --web.listen-address?"},
        Misuse{{"-web.listen-address=:1"},
               "unknown flag -web.listen-address; did you mean --web.listen-address?"},
        Misuse{{"stray"}, "unknown command 'stray'; expected check, print or sockets\n"},
        Misuse{{"chek", "--interval=1s"}, "unknown command 'chek'"},
        Misuse{{"chek"}, "; did you mean check?\n"}, Misuse{{"a\nb\x1b"}, "unknown command 'a?b?'"},
        Misuse{{""}, "empty argument; remove it"},
        Misuse{{"--interval=1s"},
               "--interval is a flag of the command check; write inetdiag_exporter check "
               "--interval=1s"},
        Misuse{{"--format=json"}, "--format is a flag of the command check, print or sockets;"},
        Misuse{{"print", "--interval=1s"}, "is a flag of the command check, not of print", 2},
        Misuse{{"sockets", "443"},
               "unexpected argument '443' after command sockets; it takes only flags"},
        Misuse{{"check", "print"},
               "unexpected argument 'print' after command check; use one command",
               3},
        Misuse{{"--web.listen-address=10045"}, "--web.listen-address: '10045' has no port"},
        Misuse{{"--web.listen-address"}, "value is missing; write --web.listen-address=ADDRESS"},
        Misuse{{"--web.listen-address=:1", "--web.listen-address"},
               "--web.listen-address: value is missing"},
        Misuse{{"--web.config.file="}, "--web.config.file: value is missing; write --web"},
        Misuse{{"--web.config.file", ""},
               "--web.config.file: value is empty; write --web.config.file=FILE, or omit the flag"},
        Misuse{{"--statsd.address", ""}, "--statsd.address: value is empty"},
        Misuse{{"print", "--output", ""}, "--output: value is empty", 2},
        Misuse{{"--log.level=info", "--log.level=warn"},
               "--log.level: given 2 times; it takes one value"},
        Misuse{{"--web.telemetry-path=metrics"}, "--web.telemetry-path: invalid value 'metrics'"},
        Misuse{{"--web.telemetry-path=/"}, "--web.telemetry-path: invalid value '/'"},
        Misuse{{"--web.telemetry-path=/-/ready"}, "--web.telemetry-path: invalid value '/-/ready'"},
        Misuse{{"--web.max-requests=many"},
               "--web.max-requests: 'many' is not a whole number from 0 to 4294967295"},
        Misuse{{"--web.max-requests=-1"}, "--web.max-requests: '-1' is not"},
        Misuse{{"--web.max-requests=4294967296"}, "--web.max-requests: '4294967296' is not"},
        Misuse{{"--path.procfs=/does/not/exist"},
               "--path.procfs: '/does/not/exist' is not a directory"},
        Misuse{{"--log.level=loud"},
               "--log.level: invalid value 'loud', expected one of debug, error, info, warn\n"},
        Misuse{{"--log.format=xml"},
               "--log.format: invalid value 'xml', expected one of json, logfmt"},
        Misuse{{"--collector.nope"}, "--collector.nope: unknown collector; expected conntrack, "},
        Misuse{{"--no-collector.nope"}, "--no-collector.nope: unknown collector; expected "},
        Misuse{{"--collector.listner"}, "; did you mean --collector.listeners?"},
        Misuse{{"--collector.listeners=maybe"},
               "--collector.listeners: takes no value; remove '=maybe'"},
        Misuse{{"--collector.listeners.max=0"}, "--collector.listeners.max: '0' is not"},
        Misuse{{"--collector.listeners.max=1", "--collector.listeners.max=2"},
               "--collector.listeners.max: given 2 times"},
        Misuse{{"--collector.tcp.max-ports=70000"}, "--collector.tcp.max-ports: '70000' is not"},
        Misuse{{"--collector.nstat.include=("}, "--collector.nstat.include: '(' is not a regular"},
        Misuse{{"--collector.sysctl.include=../x"}, "--collector.sysctl.include: '../x' is not"},
        Misuse{{"--netns.discover=some"},
               "--netns.discover: invalid value 'some', expected one of all, off, pinned"},
        Misuse{{"--netns.max=-1"}, "--netns.max: '-1' is not"},
        Misuse{{"--netns.max=all"}, "--netns.max: 'all' is not"},
        Misuse{{"--netns.include=("}, "--netns.include: '(' is not a regular expression"},
        Misuse{{"--netns.exclude=["}, "--netns.exclude: '[' is not a regular expression"},
        Misuse{{"--netns.nstat.include=*"}, "--netns.nstat.include: '*' is not a regular"},
        Misuse{{"--netns.cpu-budget=101%"}, "--netns.cpu-budget: '101%' is not a percentage"},
        Misuse{{R"(--netns.include=(a)\1)"}, R"(supports: invalid escape sequence: \1; see)"},
        Misuse{{"--collector.disable-defaults"}, "no collector is enabled"},
        Misuse{{"--web.systemd-socket", "--web.listen-address=:1"},
               "--web.systemd-socket: not with --web.listen-address; ListenStream="},
        Misuse{{"--web.listen-address=unix:a"}, "expected for example :10045"},
        Misuse{{"--no-web"}, "--no-web: nothing to do without --statsd.address"},
        Misuse{{"--statsd.address=8125"}, "--statsd.address: '8125' has no port"},
        Misuse{{"--statsd.interval=10"},
               "--statsd.interval: '10' is not a duration from 100ms to 60m; write it with a unit"},
        Misuse{{"--statsd.interval=1ms"}, "--statsd.interval: '1ms' is not a duration from 100ms"},
        Misuse{{"--statsd.prefix=a b"}, "--statsd.prefix: invalid value 'a b'"},
        Misuse{{"--statsd.format=statsd"},
               "--statsd.format: invalid value 'statsd', expected one of"},
        Misuse{{"--statsd.mtu=100"}, "--statsd.mtu: '100' is not a whole number from 256 to 65507"},
        Misuse{{"--statsd.mtu=65508"}, "--statsd.mtu: '65508' is not"},
        Misuse{{"print", "--format=xml"},
               "--format: invalid value 'xml', expected one of json, openmetrics, prometheus",
               2},
        Misuse{{"sockets", "--port=65536"},
               "--port: '65536' is not a port or a range of ports; write 443 or 1000-2000"},
        Misuse{{"sockets", "--port=-1"}, "--port: '-1' is not"},
        Misuse{{"sockets", "--port=http"}, "--port: 'http' is not"},
        Misuse{{"sockets", "--peer=10.0.0.0/33"},
               "--peer: '10.0.0.0/33' is not an address or network"},
        Misuse{{"sockets", "--summary", "--format=table"}, "--format=table: --summary prints JSON"},
        Misuse{{"sockets", "--summary", "--top=peer"},
               "--top: prints who holds most sockets, --summary their number by state; omit one"},
        Misuse{{"sockets", "--top=port"},
               "--top: invalid value 'port', expected one of destination, "},
        Misuse{{"sockets", "--top"}, "--top: value is missing; write --top=NAME"},
        Misuse{{"sockets", "--top-count=3"}, "--top-count: only applies with --top"},
        Misuse{{"sockets", "--info", "--summary"}, "--info: only applies to the list of sockets"},
        Misuse{{"sockets", "--top=destination", "--waiting"}, "--top=destination: counts all"},
        Misuse{{"sockets", "--top=destination", "--state=established"}, "omit --state"},
        Misuse{{"sockets", "--top=destination", "--port=443"}, "omit --state, --port"},
        Misuse{{"sockets", "--top=destination", "--family=4"}, "--family"},
        Misuse{{"sockets", "--top=peer", "--top-count=0"},
               "--top-count: '0' is not a whole number from 1 to 1000"},
        Misuse{{"sockets", "--top=peer", "--state=listen"}, "--state=listen: a listener has no"},
        Misuse{{"sockets", "--waiting", "--state=syn_recv"}, "--waiting: connections that wait"},
        Misuse{{"sockets", "--peers"}, "--peers is a flag of the command check, not of sockets"},
        Misuse{{"sockets", "--family=5"}, "--family: invalid value '5', expected one of 4, 6"},
        Misuse{{"sockets", "--format=xml"},
               "--format: invalid value 'xml', expected one of json, table"}));

/// Returns `FLAGS: REASON` for each warning.
std::vector<std::string> unused(std::vector<const char*> arguments) {
  const CommandLine line = parse(std::move(arguments));
  EXPECT_TRUE(line.options) << line.text;
  std::vector<std::string> texts;
  for (const auto& [flags, reason] : line.options->unused_flags) {
    texts.push_back(flags + ": " + reason);
  }
  return texts;
}

TEST(UnusedFlags, WarnsAboutStatsdFlagsWithNoAddress) {
  const char* interval = "--statsd.interval=1s";
  EXPECT_THAT(unused({interval, "--statsd.prefix=a", "--statsd.format=none", "--statsd.mtu=500"}),
              ElementsAre("--statsd.interval --statsd.prefix --statsd.format --statsd.mtu: "
                          "--statsd.address is not given"));
  EXPECT_THAT(unused({interval, "--statsd.address=unix:///a"}), IsEmpty());
  EXPECT_THAT(unused({"check", interval}), IsEmpty());
}

TEST(UnusedFlags, WarnsAboutNetnsFlagsWithNoDiscovery) {
  const char* max = "--netns.max=5";
  EXPECT_THAT(unused({max, "--path.netns=/a", "--path.pod-logs=/b"}),
              ElementsAre("--netns.max --path.netns: --netns.discover is not given"));
  EXPECT_THAT(unused({"print", max}), SizeIs(1));
  EXPECT_THAT(unused({max, "--netns.discover=off"}), IsEmpty());
  EXPECT_THAT(unused({max, "--netns.discover=pinned"}), IsEmpty());
  EXPECT_THAT(unused({"sockets", "--netns=blue", "--path.netns=/a"}), IsEmpty());
}

TEST(UnusedFlags, WarnsAboutSettingsOfDisabledCollectors) {
  const char* ports = "--collector.tcp.max-ports=5";
  const char* budget = "--collector.tcp.cpu-budget=5%";
  const char* off = "--no-collector.tcp";
  EXPECT_THAT(unused({ports, budget, off}),
              ElementsAre("--collector.tcp.max-ports --collector.tcp.cpu-budget: the collector is "
                          "not enabled"));
  EXPECT_THAT(unused({ports, budget}), IsEmpty());
  EXPECT_THAT(unused({budget, off, "--netns.discover=pinned"}), SizeIs(1));
  const char* include = "--netns.nstat.include=Listen";
  EXPECT_THAT(unused({include, "--no-collector.nstat", "--netns.discover=pinned"}),
              ElementsAre("--netns.nstat.include: the collector is not enabled"));
  EXPECT_THAT(unused({include, "--netns.discover=pinned"}), IsEmpty());
  EXPECT_THAT(unused({include, "--no-collector.nstat"}),
              ElementsAre("--netns.nstat.include: --netns.discover is not given"));
  EXPECT_THAT(unused({"--collector.disable-defaults", "--collector.unix", ports}), SizeIs(1));
  EXPECT_THAT(unused({"--collector.disable-defaults", "--collector.tcp", ports}), IsEmpty());
}

TEST(UnusedFlags, WarnsAboutWebFlagsWithNoWeb) {
  const char* no_web = "--no-web";
  const char* statsd = "--statsd.address=unix:///a";
  EXPECT_THAT(unused({no_web, statsd, "--web.listen-address=:1", "--web.config.file=/a"}),
              ElementsAre("--web.listen-address --web.config.file: --no-web is given"));
  EXPECT_THAT(unused({no_web, statsd, "--web.disable-exporter-metrics"}), IsEmpty());
  EXPECT_THAT(unused({"--web.listen-address=:1"}), IsEmpty());
}

TEST(NetnsFlags, DiscoverNoOtherNamespaceByDefault) {
  const CommandLine line = parse({});
  EXPECT_EQ(line.options->netns.discovery, Discovery::off);
  EXPECT_THAT(line.options->netns.directories, ElementsAre("/run/netns"));
  EXPECT_EQ(missing_privileges(line.options->netns), "");
  EXPECT_THAT(enabled({}), Not(Contains("netns")));
}

TEST(NetnsFlags, SetTheOptions) {
  const CommandLine line = parse({"--netns.discover=all", "--netns.max=7", "--netns.include=^cni-",
                                  "--netns.exclude=x", "--netns.nstat.include=Listen",
                                  "--path.netns=/a", "--path.netns=/b", "--netns.cpu-budget=5%"});
  ASSERT_TRUE(line.options) << line.text;
  const NetnsOptions& netns = line.options->netns;
  EXPECT_TRUE(netns.discovers_pinned());
  EXPECT_TRUE(netns.discovers_processes());
  EXPECT_EQ(netns.max, 7U);
  EXPECT_TRUE(netns.include && netns.include->matches("cni-1"));
  EXPECT_TRUE(netns.exclude && netns.exclude->matches("x"));
  EXPECT_THAT(netns.directories, ElementsAre("/a", "/b"));
  EXPECT_DOUBLE_EQ(netns.cpu_budget, 0.05);
  EXPECT_DOUBLE_EQ(parse({"--collector.tcp.cpu-budget=5%"}).options->netns.cpu_budget, 0.01);
  EXPECT_THAT(enabled({"--netns.discover=pinned"}), Contains("netns"));
}

TEST(Command, IsServeByDefault) { EXPECT_EQ(parse({}).options->command, Command::serve); }

TEST(Command, CheckAcceptsFlagsOnEitherSide) {
  const CommandLine line = parse({"--log.level=error", "check", "--interval", "250ms",
                                  "--format=json", "--no-collector.nstat"});
  ASSERT_TRUE(line.options) << line.text;
  EXPECT_EQ(line.options->command, Command::check);
  EXPECT_DOUBLE_EQ(line.options->check.interval_seconds, 0.25);
  EXPECT_EQ(line.options->check.format, CheckFormat::json);
  EXPECT_EQ(line.options->log_level, spdlog::level::err);
  EXPECT_DOUBLE_EQ(parse({"check"}).options->check.interval_seconds, 1);
}

TEST(Command, CheckWatchHasAnIntervalOfItsOwn) {
  EXPECT_EQ(parse({"check"}).options->check.watch_seconds, std::nullopt);
  EXPECT_EQ(parse({"check", "--watch"}).options->check.watch_seconds, 2);
  EXPECT_EQ(parse({"check", "--watch=500ms"}).options->check.watch_seconds, 0.5);
  EXPECT_EQ(parse({"check", "--watch", "--format=json"}).options->check.watch_seconds, 2);
  EXPECT_THAT(parse({"check", "--watch=1ms"}).text, HasSubstr("--watch: "));
  EXPECT_THAT(parse({"check", "--watch", "--interval=1s"}).text, HasSubstr("--watch=TIME"));
  EXPECT_THAT(parse({"check", "--watch", "--peers"}).text, HasSubstr("--peers"));
}

TEST(Command, CheckRejectsAnInvalidInterval) {
  for (const auto* interval :
       {"--interval=5", "--interval=-1s", "--interval=2h", "--interval=soon", "--interval=nans"}) {
    const CommandLine line = parse({"check", interval});
    EXPECT_FALSE(line.options) << interval;
    EXPECT_THAT(line.text, HasSubstr("--interval")) << interval;
    EXPECT_EQ(line.exit_status, 3);  // 1 is a warning about the host
  }
}

TEST(Command, PrintHasAFormatAndAnOutputFile) {
  const CommandLine line =
      parse({"print", "--format=json", "--output", "file", "--no-collector.tcp"});
  ASSERT_TRUE(line.options) << line.text;
  EXPECT_EQ(line.options->command, Command::print);
  EXPECT_EQ(line.options->print.format, PrintFormat::json);
  EXPECT_EQ(line.options->print.output, "file");
}

TEST(Command, SocketsFiltersByStatePortPeerAndFamily) {
  const CommandLine line =
      parse({"sockets", "--state=listen", "--state", "time_wait", "--port=0", "--port=65535",
             "--peer=::1", "--peer", "10.0.0.0/8", "--family=4", "--netns=blue", "--summary"});
  ASSERT_TRUE(line.options) << line.text;
  EXPECT_EQ(line.options->command, Command::sockets);
  const SocketsOptions& sockets = line.options->sockets;
  EXPECT_EQ(sockets.filter.states,
            mask(kernel::TcpState::listen) | mask(kernel::TcpState::time_wait));
  EXPECT_THAT(sockets.filter.ports,
              ElementsAre(kernel::PortRange{0, 0}, kernel::PortRange{65535, 65535}));
  EXPECT_THAT(sockets.filter.peers,
              ElementsAre(kernel::parse_address_prefix("::1").value(),
                          kernel::parse_address_prefix("10.0.0.0/8").value()));
  EXPECT_EQ(sockets.filter.family, AF_INET);
  EXPECT_EQ(sockets.netns, "blue");
  EXPECT_TRUE(sockets.summary);
  EXPECT_EQ(parse({"sockets"}).options->sockets.filter.states, kernel::all_tcp_states);
}

TEST(Command, SocketsPrintsTheTopPeers) {
  const CommandLine line = parse({"sockets", "--top=network", "--top-count=25", "--format=json"});
  ASSERT_TRUE(line.options) << line.text;
  const SocketsOptions& sockets = line.options->sockets;
  EXPECT_EQ(sockets.top, TopOf::network);
  EXPECT_EQ(sockets.top_count, 25U);
  EXPECT_EQ(sockets.format, SocketsFormat::json);
  EXPECT_EQ(parse({"sockets", "--top=peer"}).options->sockets.top_count, 10U);
  EXPECT_EQ(parse({"sockets"}).options->sockets.top, std::nullopt);
}

TEST(Command, SocketsSelectsTheStatesOfWaitingConnections) {
  const auto states = [](std::vector<const char*> arguments) {
    return parse(std::move(arguments)).options->sockets.filter.states;
  };
  EXPECT_EQ(states({"sockets", "--waiting"}),
            mask(kernel::TcpState::established) | mask(kernel::TcpState::close_wait));
  EXPECT_EQ(states({"sockets", "--waiting", "--state=close_wait"}),
            mask(kernel::TcpState::close_wait));
}

TEST(Command, CheckShowsPeersOnlyOnRequest) {
  EXPECT_FALSE(parse({"check"}).options->check.peers);
  EXPECT_TRUE(parse({"check", "--peers"}).options->check.peers);
}

TEST(StatsdFlags, SetTheOptions) {
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

TEST(Help, ListsTheCommandsAndTheirFlags) {
  EXPECT_THAT(parse({"--help"}).text, HasSubstr("check"));
  EXPECT_THAT(parse({"check", "--help"}).text, HasSubstr("--interval"));
}

}  // namespace
}  // namespace inetdiag
