#include "exporter/cli/command_line.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include <CLI/CLI.hpp>

#include "exporter/build_info.h"
#include "exporter/cli/flags.h"
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

/// CLI11 tells the name of a negated flag with a `{false}` behind it.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    std::string name = CLI::Formatter::make_option_name(option, is_positional);
    const std::string_view mark = "{false}";
    if (const auto at = name.find(mark); at != std::string::npos) {
      name.erase(at, mark.size());
    }
    return name;
  }
};

/// The flags of one collector.
struct CollectorFlags {
  std::optional<bool> is_enabled;
  std::map<std::string, std::vector<std::string>> settings;
};

std::string switch_of(const CollectorEntry& entry) {
  return "--collector." + std::string(entry.name);
}

std::string flag_of(const CollectorEntry& entry, std::string_view setting) {
  return switch_of(entry) + "." + std::string(setting);
}

void add_flags(CLI::App& app, const CollectorEntry& entry, CollectorFlags& flags) {
  const std::string group = "Collectors";
  add_switch(app, {.name = switch_of(entry) + ",!--no-collector." + std::string(entry.name),
                   .help = std::string(entry.help) + (entry.on_by_default ? " (on)" : " (off)"),
                   .group = group});
  for (const SettingSpec& setting : entry.settings) {
    add_texts(app,
              {.name = flag_of(entry, setting.name),
               .value = std::string(setting.placeholder),
               .help = std::string(setting.help),
               .group = group,
               .fallback = std::string(setting.fallback)},
              flags.settings[std::string(setting.name)],
              setting.repeatable ? Times::many : Times::once);
  }
}

Settings settings_of(const CollectorEntry& entry, const CollectorFlags& flags) {
  Settings settings;
  for (const SettingSpec& setting : entry.settings) {
    const auto& chosen = flags.settings.at(std::string(setting.name));
    for (const std::string& value : chosen) {
      settings.add(setting.name, value);
    }
    if (chosen.empty() && !setting.fallback.empty()) {
      settings.add(setting.name, std::string(setting.fallback));
    }
  }
  return settings;
}

std::vector<NamedCollector> make_collectors(std::span<const CollectorEntry> registry,
                                            const std::vector<CollectorFlags>& flags,
                                            bool defaults) {
  std::vector<NamedCollector> collectors;
  for (std::size_t i = 0; i < registry.size(); ++i) {
    const CollectorEntry& entry = registry[i];
    if (!flags[i].is_enabled.value_or(defaults && entry.on_by_default)) {
      continue;
    }
    try {
      collectors.push_back({std::string(entry.name), entry.make(settings_of(entry, flags[i]))});
    } catch (const SettingError& error) {
      throw std::invalid_argument(flag_of(entry, error.name) + ": " + error.what());
    }
  }
  if (collectors.empty()) {
    throw std::invalid_argument("no collector is enabled; name one, as in --collector.listeners");
  }
  return collectors;
}

/// What the enabled collectors are in other network namespaces.
std::vector<NamespacedCollector> elsewhere(std::span<const CollectorEntry> registry,
                                           const std::vector<CollectorFlags>& flags,
                                           const Options& options) {
  std::vector<NamespacedCollector> all;
  for (std::size_t i = 0; i < registry.size(); ++i) {
    const CollectorEntry& entry = registry[i];
    const bool is_enabled =
        std::ranges::count(options.collectors, entry.name, &NamedCollector::name) > 0;
    if (!is_enabled || entry.elsewhere == NetnsMode::nobody) {
      continue;
    }
    Settings settings = settings_of(entry, flags[i]);
    if (entry.name == "nstat") {
      settings.add("include", options.netns.nstat_include);
    }
    if (entry.elsewhere == NetnsMode::stateless) {
      all.push_back({.for_all = entry.make(settings), .make_for_one = {}});
    } else {
      all.push_back({.for_all = {},
                     .make_for_one = [make = entry.make, settings] { return make(settings); }});
    }
  }
  return all;
}

/// Adds the collector of other network namespaces, where any are to be asked.
void add_other_namespaces(std::span<const CollectorEntry> registry,
                          const std::vector<CollectorFlags>& flags, Options& options) {
  if (options.netns.discovery == Discovery::off) {
    return;
  }
  for (std::size_t i = 0; i < registry.size(); ++i) {
    if (registry[i].name == "tcp") {
      options.netns.dump_budget = settings_of(registry[i], flags[i]).share("cpu-budget");
    }
  }
  options.collectors.push_back(
      {netns_collector, make_netns(options.netns, kernel::FileTree(options.proc),
                                   elsewhere(registry, flags, options))});
}

std::vector<ListenAddress> parse_addresses(const std::vector<std::string>& texts) {
  std::vector<ListenAddress> addresses;
  for (const std::string& text : texts) {
    try {
      addresses.push_back(parse_listen_address(text));
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(std::string("--web.listen-address: ") + error.what());
    }
  }
  return addresses;
}

void check_telemetry_path(const std::string& path) {
  constexpr std::string_view special = "?#% \"<>\\";
  if (!path.starts_with('/') || path == "/" || path.starts_with("/-/") ||
      path.starts_with("/api/") || path.find_first_of(special) != std::string::npos) {
    throw std::invalid_argument("--web.telemetry-path: '" + path +
                                "' must begin with a slash, as in /metrics, and be neither / nor "
                                "below /-/ or /api/");
  }
}

constexpr const char* common_flags_apply =
    "The flags of inetdiag_exporter for collectors, paths and logs apply, too.";

/// `inetdiag_exporter check`, whose own flags stand behind it.
CLI::App* add_check(CLI::App& app, CheckOptions& options, std::string& format) {
  CLI::App* check = app.add_subcommand(
      "check",
      "Look at this host twice, say what is wrong and what to do, and exit with 0 (nothing, or "
      "notices), 1 (a warning), 2 (critical) or 3 (could not look)");
  check->footer(common_flags_apply);
  add_time(*check,
           {.name = "--interval",
            .value = "TIME",
            .help = "Time between the looks: what grows in it is told as happening now",
            .fallback = "1s"},
           options.interval_seconds, 0);
  add_choice(*check, {.name = "--format", .value = "NAME", .help = "text or json"}, format,
             {"text", "json"});
  return check;
}

/// `inetdiag_exporter print`.
CLI::App* add_print(CLI::App& app, PrintOptions& options, std::string& format) {
  CLI::App* print = app.add_subcommand(
      "print",
      "Print the metrics of one scrape, without process_*, and exit with 0, 1 (a collector failed; "
      "the rest is printed) or 2 (nothing could be printed)");
  print->footer(common_flags_apply);
  add_choice(*print, {.name = "--format", .value = "NAME", .help = "prometheus or json"}, format,
             {"prometheus", "json"});
  add_text(*print,
           {.name = "--output",
            .value = "FILE",
            .help = "Replace this file in one step, as for node_exporter's textfile collector"},
           options.output);
  return print;
}

/// `inetdiag_exporter sockets`.
CLI::App* add_sockets(CLI::App& app, SocketsFlags& flags) {
  CLI::App* sockets = app.add_subcommand(
      "sockets",
      "List TCP sockets as the kernel tells of them; what the flags leave out, it does "
      "not tell");
  add_sockets_flags(*sockets, flags);
  return sockets;
}

CommandLine refusal(std::string why, std::span<const char* const> arguments) {
  // What was given stands in it: it is to be one line, and no more than text.
  std::ranges::replace_if(
      why, [](unsigned char c) { return std::iscntrl(c) != 0; }, '?');
  const auto has = [&](std::string_view word) { return std::ranges::count(arguments, word) > 0; };
  return {.text = "inetdiag_exporter: " + why + "\nTry 'inetdiag_exporter --help'.\n",
          .exit_status = failure_exit_status(has("check")   ? Command::check
                                             : has("print") ? Command::print
                                                            : Command::serve)};
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
      "about to drop connections, which limit binds, and who owns it.",
      "inetdiag_exporter");
  app.formatter(std::make_shared<HelpFormatter>());
  app.get_formatter()->column_width(44);
  Options options;
  std::vector<std::string> addresses;
  bool disable_exporter_metrics = false;
  bool disable_defaults = false;
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.add_flag_callback(
      "--version", [] { throw CLI::CallForVersion(version_text(), 0); },
      "Print the version and exit");
  add_texts(app,
            {.name = "--web.listen-address",
             .value = "ADDRESS",
             .help = "Where to serve, repeatable: 127.0.0.1:10045, [::1]:10045, or :10045 for all "
                     "addresses of IPv4 and [::]:10045 for all of IPv6 (default :10045)"},
            addresses);
  add_text(app, {.name = "--web.telemetry-path", .value = "PATH", .help = "Path of the metrics"},
           options.web.telemetry_path);
  add_number(app,
             {.name = "--web.max-requests",
              .value = "N",
              .help = "Most scrapes at the same time, further ones get 503; 0 for no limit"},
             options.web.max_requests);
  add_switch(app, {.name = "--no-web", .help = "Serve nothing, push to StatsD alone"},
             options.no_web);
  add_switch(app,
             {.name = "--web.disable-exporter-metrics",
              .help = "Leave out the process_* and promhttp_* metrics"},
             disable_exporter_metrics);
  add_text(app,
           {.name = "--web.config.file",
            .value = "FILE",
            .help = "TLS and who may ask: a file in the format of exporter-toolkit"},
           options.web_config_file);
  add_switch(app,
             {.name = "--no-sandbox{false}",
              .help = "Keep capabilities, and every system call and file, while it serves"},
             options.sandbox);
  add_switch(app,
             {.name = "--collector.disable-defaults",
              .help = "Run only the collectors that are named on the command line"},
             disable_defaults);
  add_folder(app, {.name = "--path.procfs", .value = "DIR", .help = "Where procfs is mounted"},
             options.proc);
  add_folder(app, {.name = "--path.sysfs", .value = "DIR", .help = "Where sysfs is mounted"},
             options.sys);
  const std::map<std::string, spdlog::level::level_enum> log_levels = {
      {"debug", spdlog::level::debug},
      {"info", spdlog::level::info},
      {"warn", spdlog::level::warn},
      {"error", spdlog::level::err},
  };
  const std::map<std::string, LogFormat> log_formats = {
      {"logfmt", LogFormat::logfmt},
      {"json", LogFormat::json},
  };
  std::string log_level = "info";
  std::string log_format = "logfmt";
  add_choice(app, {.name = "--log.level", .value = "NAME", .help = "debug, info, warn or error"},
             log_level, keys_of(log_levels));
  add_choice(app, {.name = "--log.format", .value = "NAME", .help = "logfmt or json"}, log_format,
             keys_of(log_formats));
  NetnsFlags netns;
  add_netns_flags(app, netns);
  std::string check_format = "text";
  app.fallthrough();
  app.require_subcommand(0, 1);
  const CLI::App* check = add_check(app, options.check, check_format);
  std::string print_format = "prometheus";
  const CLI::App* print = add_print(app, options.print, print_format);
  SocketsFlags sockets_flags;
  const CLI::App* sockets = add_sockets(app, sockets_flags);
  statsd::Flags statsd_flags;
  statsd::add_flags(app, statsd_flags);
  std::vector<CollectorFlags> flags(registry.size());
  for (std::size_t i = 0; i < registry.size(); ++i) {
    add_flags(app, registry[i], flags[i]);
  }
  try {
    app.parse(static_cast<int>(arguments.size()), arguments.data());
    reject_empty_values(app);
    for (std::size_t i = 0; i < registry.size(); ++i) {
      flags[i].is_enabled = is_on(app, switch_of(registry[i]));
    }
    options.log_level = log_levels.at(log_level);
    options.log_format = log_formats.at(log_format);
    if (check->parsed()) {
      options.command = Command::check;
      options.check.format = check_format == "json" ? CheckFormat::json : CheckFormat::text;
    }
    if (print->parsed()) {
      options.command = Command::print;
      options.print.format = print_format == "json" ? PrintFormat::json : PrintFormat::prometheus;
    }
    if (sockets->parsed()) {
      options.command = Command::sockets;
      options.sockets = sockets_options(sockets_flags);
    }
    options.statsd = statsd::options_of(statsd_flags);
    if (options.no_web && !options.statsd.address) {
      throw std::invalid_argument("--no-web leaves nothing to do without --statsd.address");
    }
    options.exporter_metrics = !disable_exporter_metrics;
    options.listen_addresses =
        parse_addresses(addresses.empty() ? std::vector<std::string>{":10045"} : addresses);
    check_telemetry_path(options.web.telemetry_path);
    options.collectors = make_collectors(registry, flags, !disable_defaults);
    options.netns = netns_options(netns);
    options.sockets.netns_folder = options.netns.folder;
    options.check.netns_folder = options.netns.folder;
    options.web.netns_folder = options.netns.folder;
    add_other_namespaces(registry, flags, options);
    options.idle = unused_flags(given_flags(app), options);
    return {.options = std::move(options)};
  } catch (const CLI::CallForHelp&) {
    return {.text = app.help()};
  } catch (const CLI::CallForVersion& version) {
    return {.text = version.what()};
  } catch (const CLI::ParseError& error) {
    return refusal(reason(error, app, arguments), arguments);
  } catch (const std::invalid_argument& error) {
    return refusal(error.what(), arguments);
  }
}

}  // namespace inetdiag
