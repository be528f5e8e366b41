// The table of collectors, and the construction of the enabled ones.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/netns.h"
#include "collectors/support/collector.h"

namespace inetdiag {

/// Every collector of the program, in the order in which a scrape runs them: cheap ones first.
std::span<const CollectorEntry> registry();

/// Returns `--collector.tcp`.
std::string collector_flag(const CollectorEntry& entry);
/// Returns `--collector.nstat.include`.
std::string setting_flag(const CollectorEntry& entry, std::string_view setting);
/// Returns `--netns.nstat.include`, the flag of a setting that has a NetnsDefault.
std::string netns_setting_flag(const CollectorEntry& entry, std::string_view setting);

/// The values of settings, by SettingSpec::name.
using SettingValues = std::map<std::string, std::vector<std::string>, std::less<>>;

/// The user's settings of one collector.
struct CollectorChoice {
  std::optional<bool> is_enabled;  ///< std::nullopt: CollectorEntry::on_by_default
  SettingValues settings;
  SettingValues netns_settings;  ///< of settings that have a NetnsDefault
};

/// Makes the enabled collectors in the order of `entries`, followed by the collector of other
/// network namespaces if `netns.discovery` is on. `choices` has one element for each entry. Without
/// `use_defaults`, only explicitly chosen collectors are enabled. Throws std::invalid_argument if a
/// value is invalid, with the name of its flag, or if no collector is enabled.
std::vector<NamedCollector> make_collectors(std::span<const CollectorEntry> entries,
                                            std::span<const CollectorChoice> choices,
                                            bool use_defaults, const NetnsOptions& netns,
                                            const std::string& procfs);

}  // namespace inetdiag
