#include "exporter/cli/unused_flags.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "collectors/registry.h"

namespace inetdiag {
namespace {

std::set<std::string> settings_of_disabled_collectors(const Options& options,
                                                      std::span<const CollectorEntry> registry) {
  std::set<std::string> flags;
  for (const CollectorEntry& entry : registry) {
    if (std::ranges::count(options.collectors, entry.name, &NamedCollector::name) > 0) {
      continue;
    }
    for (const SettingSpec& setting : entry.settings) {
      flags.insert(setting_flag(entry, setting.name));
      if (options.netns.discovery != Discovery::off) {
        flags.insert(netns_setting_flag(entry, setting.name));
      }
    }
  }
  return flags;
}

}  // namespace

std::vector<UnusedFlags> unused_flags(const std::vector<std::string>& given, const Options& options,
                                      std::span<const CollectorEntry> registry) {
  if (options.command == Command::sockets) {
    return {};  // most flags of a shared configuration do not apply to it
  }
  std::vector<UnusedFlags> unused;
  const auto report = [&](const auto& is_unused, std::string reason) {
    std::string flags;
    for (const std::string& flag : given) {
      if (is_unused(flag)) {
        flags.append(flags.empty() ? "" : " ").append(flag);
      }
    }
    if (!flags.empty()) {
      unused.push_back({std::move(flags), std::move(reason)});
    }
  };
  const auto disabled = settings_of_disabled_collectors(options, registry);
  report([&](const std::string& flag) { return disabled.contains(flag); },
         "the collector is not enabled");
  // An explicit --netns.discover=off is intentional.
  if (std::ranges::count(given, "--netns.discover") == 0) {
    report(
        [](std::string_view flag) {
          return flag.starts_with("--netns.") || flag == "--path.netns";
        },
        "--netns.discover is not given");
  }
  if (options.command == Command::serve && !options.statsd.address) {
    report([](std::string_view flag) { return flag.starts_with("--statsd."); },
           "--statsd.address is not given");
  }
  if (options.command == Command::serve && options.no_web) {
    report(
        [](std::string_view flag) {
          return flag.starts_with("--web.") && flag != "--web.disable-exporter-metrics";
        },
        "--no-web is given");
  }
  return unused;
}

}  // namespace inetdiag
