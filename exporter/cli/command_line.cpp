#include "exporter/cli/command_line.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include <CLI/CLI.hpp>

#include "collectors/registry.h"
#include "exporter/build_info.h"
#include "exporter/cli/flags.h"
#include "exporter/cli/help.h"
#include "exporter/cli/netns_flags.h"
#include "exporter/cli/sockets_flags.h"
#include "exporter/cli/statsd_flags.h"
#include "exporter/cli/unused_flags.h"
#include "exporter/cli/usage_error.h"

namespace inetdiag {
namespace {

std::string version_text() {
  return std::string("inetdiag_exporter, version ") + build_info::version +
         " (revision: " + build_info::revision + ")\n  compiler: " + build_info::compiler + "\n";
}

void add_setting(CLI::App& app, const Flag& flag, const SettingSpec& setting,
                 SettingValues& values) {
  const auto store = [&value = values[std::string(setting.name)]](const std::string& text) {
    value.push_back(text);
  };
  if (setting.is_repeatable) {
    add_values(app, flag, store);
  } else {
    add_value(app, flag, store);
  }
}

void add_flags(CLI::App& app, const CollectorEntry& entry, CollectorChoice& choice) {
  const std::string group = "Collectors";
  add_switch(app, {.name = collector_flag(entry) + ",!--no-collector." + std::string(entry.name),
                   .help = std::string(entry.help) + (entry.on_by_default ? " (on)" : " (off)"),
                   .group = group});
  for (const SettingSpec& setting : entry.settings) {
    const std::string flag = setting_flag(entry, setting.name);
    add_setting(app,
                {.name = flag,
                 .value = std::string(setting.placeholder),
                 .help = std::string(setting.help),
                 .group = group,
                 .default_value = std::string(setting.default_value)},
                setting, choice.settings);
    if (setting.netns_default) {
      add_setting(app,
                  {.name = netns_setting_flag(entry, setting.name),
                   .value = std::string(setting.placeholder),
                   .help = flag + " in other network namespaces (default: " +
                           std::string(setting.netns_default->description) + ")",
                   .group = netns_flag_group},
                  setting, choice.netns_settings);
    }
  }
}

/// `check` takes two snapshots: with a budget, the second would repeat the counts of the first on a
/// host with many sockets.
void lift_cpu_budgets(std::span<const CollectorEntry> registry,
                      std::vector<CollectorChoice>& choices) {
  constexpr std::string_view budget = "cpu-budget";
  for (std::size_t i = 0; i < registry.size(); ++i) {
    if (std::ranges::find(registry[i].settings, budget, &SettingSpec::name) !=
        registry[i].settings.end()) {
      auto& values = choices[i].settings[std::string(budget)];
      values = values.empty() ? std::vector<std::string>{"100%"} : values;
    }
  }
}

std::string parse_telemetry_path(const std::string& path) {
  constexpr std::string_view special = "?#% \"<>\\";
  if (!path.starts_with('/') || path == "/" || path.starts_with("/-/") ||
      path.starts_with("/api/") || path.find_first_of(special) != std::string::npos) {
    throw std::invalid_argument("invalid value '" + path +
                                "', expected a path such as /metrics, other than / and paths below "
                                "/-/ and /api/");
  }
  return path;
}

constexpr const char* common_flags_apply =
    "The flags of inetdiag_exporter for collectors, network namespaces, paths and logs also apply.";

CLI::App* add_check(CLI::App& app, CheckOptions& options) {
  CLI::App* check =
      app.add_subcommand("check",
                         "Take two snapshots of this host, report problems and how to fix them, "
                         "and exit with 0 (none, or notices only), 1 (warning), 2 (critical) or "
                         "3 (unknown)");
  check->footer(common_flags_apply);
  add_duration(*check,
               {.name = "--interval",
                .value = "TIME",
                .help = "Time between the snapshots: a counter that grows in it is reported as "
                        "happening now"},
               options.interval_seconds, std::chrono::milliseconds(0));
  add_switch(
      *check,
      {.name = "--peers",
       .help = "Also show the peers with the most connections in the queues of each port that "
               "has a finding"},
      options.peers);
  add_optional_duration(
      *check,
      {.name = "--watch",
       .value = "TIME",
       .help = "Repeat the check at this interval until q or Ctrl-C, on a screen of its own; "
               "without a terminal print what changes, with --format=json a document per line",
       .default_value = "2s"},
      options.watch_seconds, std::chrono::milliseconds(100));
  add_choice(
      *check, {.name = "--format", .value = "NAME", .help = "text or json"}, options.format,
      std::map<std::string, CheckFormat>{{"text", CheckFormat::text}, {"json", CheckFormat::json}});
  return check;
}

CLI::App* add_print(CLI::App& app, PrintOptions& options) {
  CLI::App* print = app.add_subcommand(
      "print",
      "Print the metrics of one scrape, without process_*, and exit with 0, 1 (a collector failed; "
      "the other metrics are printed) or 2 (nothing was printed)");
  print->footer(common_flags_apply);
  add_choice(*print,
             {.name = "--format", .value = "NAME", .help = "prometheus, openmetrics or json"},
             options.format,
             std::map<std::string, PrintFormat>{{"prometheus", PrintFormat::prometheus},
                                                {"openmetrics", PrintFormat::openmetrics},
                                                {"json", PrintFormat::json}});
  add_text(*print,
           {.name = "--output",
            .value = "FILE",
            .help = "Replace this file atomically, as node_exporter's textfile collector requires"},
           options.output);
  return print;
}

CLI::App* add_sockets(CLI::App& app, SocketsFlags& flags) {
  CLI::App* sockets = app.add_subcommand("sockets", "List TCP sockets, filtered by the kernel");
  add_sockets_flags(*sockets, flags);
  return sockets;
}

CommandLine usage_error(std::string message, std::span<const char* const> arguments) {
  // The message quotes arguments, which may contain newlines and terminal escape sequences.
  std::ranges::replace_if(
      message, [](unsigned char c) { return std::iscntrl(c) != 0; }, '?');
  const std::map<std::string_view, Command> commands = {
      {"check", Command::check}, {"print", Command::print}, {"sockets", Command::sockets}};
  const auto given = std::ranges::find_if(
      arguments, [&](std::string_view word) { return commands.contains(word); });
  const bool has_command = given != arguments.end();
  return {.text = "inetdiag_exporter: " + message + "\nTry 'inetdiag_exporter " +
                  (has_command ? std::string(*given) + " " : "") + "--help'.\n",
          .exit_status = failure_exit_status(has_command ? commands.at(*given) : Command::serve)};
}

}  // namespace

int failure_exit_status(Command command) {
  switch (command) {
    case Command::check:
      return check_exit_unknown;
    case Command::print:
      return print_exit_failure;
    default:
      return EXIT_FAILURE;
  }
}

CommandLine parse_command_line(std::span<const char* const> arguments,
                               std::span<const CollectorEntry> registry) {
  CLI::App app(
      "Prometheus exporter for the queues and limits of the Linux TCP/IP stack: which listener is "
      "about to drop connections, which limit applies, and who owns it.",
      "inetdiag_exporter");
  app.formatter(std::make_shared<HelpFormatter>());
  Options options;
  bool disable_exporter_metrics = false;
  bool disable_defaults = false;
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.add_flag_callback(
      "--version", [] { throw CLI::CallForVersion(version_text(), 0); },
      "Print the version and exit");
  // For deploy/help.
  app.add_flag_callback("--help-table", [&app] { throw CLI::CallForVersion(flag_table(app), 0); })
      ->group("");
  add_values(app,
             {.name = "--web.listen-address",
              .value = "ADDRESS",
              .help = "Address to listen on, repeatable: 127.0.0.1:10045, [::1]:10045, :10045 for "
                      "all IPv4 addresses, [::]:10045 for all IPv6 addresses or "
                      "unix:/run/inetdiag_exporter.sock (default :10045)"},
             [&](const std::string& text) {
               options.listen_addresses.push_back(parse_listen_address(text));
             });
  add_switch(app,
             {.name = "--web.systemd-socket",
              .help = "Listen on the sockets that systemd passes (socket activation) instead of "
                      "--web.listen-address"},
             options.systemd_socket);
  add_value(
      app,
      {.name = "--web.telemetry-path",
       .value = "PATH",
       .help = "Path of the metrics",
       .default_value = options.web.telemetry_path},
      [&](const std::string& text) { options.web.telemetry_path = parse_telemetry_path(text); });
  add_number(app,
             {.name = "--web.max-requests",
              .value = "N",
              .help = "Maximum number of parallel scrapes, others get status 503; 0 for no limit"},
             options.web.max_requests);
  add_switch(app, {.name = "--no-web", .help = "Do not serve HTTP, only push to StatsD"},
             options.no_web);
  add_switch(app,
             {.name = "--web.disable-exporter-metrics",
              .help = "Omit the process_* and promhttp_* metrics"},
             disable_exporter_metrics);
  add_text(app,
           {.name = "--web.config.file",
            .value = "FILE",
            .help = "TLS and authentication, in the format of exporter-toolkit"},
           options.web_config_file);
  add_switch(app,
             {.name = "--no-sandbox{false}",
              .help = "Keep capabilities, and do not restrict system calls or files"},
             options.sandbox);
  add_switch(app,
             {.name = "--collector.disable-defaults",
              .help = "Run only the collectors that are enabled on the command line"},
             disable_defaults);
  add_directory(app, {.name = "--path.procfs", .value = "DIR", .help = "Mount point of procfs"},
                options.paths.procfs);
  add_directory(app, {.name = "--path.sysfs", .value = "DIR", .help = "Mount point of sysfs"},
                options.paths.sysfs);
  add_text(app,
           {.name = "--path.pod-logs",
            .value = "DIR",
            .help = "Directory of the kubelet's pod logs, to resolve the names of pods"},
           options.paths.kubelet_logs.pods);
  add_text(
      app,
      {.name = "--path.container-logs",
       .value = "DIR",
       .help = "Directory of the kubelet's container logs, to resolve the names of containers"},
      options.paths.kubelet_logs.containers);
  add_choice(app, {.name = "--log.level", .value = "NAME", .help = "debug, info, warn or error"},
             options.log_level,
             std::map<std::string, spdlog::level::level_enum>{{"debug", spdlog::level::debug},
                                                              {"info", spdlog::level::info},
                                                              {"warn", spdlog::level::warn},
                                                              {"error", spdlog::level::err}});
  add_choice(
      app,
      {.name = "--log.format",
       .value = "NAME",
       .help = "Format of the log: logfmt, json or plain; plain is the default of commands "
               "at a terminal, logfmt otherwise"},
      options.log_format,
      std::map<std::string, LogFormat>{
          {"logfmt", LogFormat::logfmt}, {"json", LogFormat::json}, {"plain", LogFormat::plain}});
  add_netns_flags(app, options.netns);
  app.fallthrough();
  app.require_subcommand(0, 1);
  const CLI::App* check = add_check(app, options.check);
  const CLI::App* print = add_print(app, options.print);
  SocketsFlags sockets_flags;
  const CLI::App* sockets = add_sockets(app, sockets_flags);
  statsd::add_flags(app, options.statsd);
  std::vector<CollectorChoice> choices(registry.size());
  for (std::size_t i = 0; i < registry.size(); ++i) {
    add_flags(app, registry[i], choices[i]);
  }
  try {
    app.parse(static_cast<int>(arguments.size()), arguments.data());
    for (std::size_t i = 0; i < registry.size(); ++i) {
      choices[i].is_enabled = switch_value(app, collector_flag(registry[i]));
    }
    if (check->parsed()) {
      options.command = Command::check;
      if (options.check.watch_seconds && options.check.peers) {
        throw std::invalid_argument("--peers: not with --watch; run `check --peers` beside it");
      }
      if (options.check.watch_seconds && check->count("--interval") > 0) {
        throw std::invalid_argument(
            "--interval: --watch has an interval of its own; write --watch=TIME only");
      }
      if (!options.check.watch_seconds) {
        lift_cpu_budgets(registry, choices);
      }
    }
    if (print->parsed()) {
      options.command = Command::print;
    }
    if (sockets->parsed()) {
      options.command = Command::sockets;
      options.sockets = sockets_options(sockets_flags);
    }
    if (options.no_web && !options.statsd.address) {
      throw std::invalid_argument("--no-web: nothing to do without --statsd.address");
    }
    options.exporter_metrics = !disable_exporter_metrics;
    if (options.systemd_socket && !options.listen_addresses.empty()) {
      throw std::invalid_argument(
          "--web.systemd-socket: not with --web.listen-address; ListenStream= of the socket unit "
          "has "
          "the addresses");
    }
    if (options.listen_addresses.empty() && !options.systemd_socket) {
      options.listen_addresses.push_back(parse_listen_address(":10045"));
    }
    options.collectors =
        make_collectors(registry, choices, !disable_defaults, options.netns, options.paths.procfs);
    options.sockets.netns_directories = options.netns.directories;
    options.sockets.procfs = options.paths.procfs;
    options.unused_flags = unused_flags(given_flags(app), options, registry);
    return {.options = std::move(options)};
  } catch (const CLI::CallForHelp&) {
    return {.text = app.help()};
  } catch (const CLI::CallForVersion& version) {
    return {.text = version.what()};
  } catch (const CLI::ParseError& error) {
    return usage_error(usage_error_message(error, app, arguments), arguments);
  } catch (const std::invalid_argument& error) {
    return usage_error(error.what(), arguments);
  }
}

}  // namespace inetdiag
