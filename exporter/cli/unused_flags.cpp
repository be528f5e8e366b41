#include "exporter/cli/unused_flags.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace inetdiag {
namespace {

using Names = std::function<bool(std::string_view flag)>;

class IdleFinder {
 public:
  explicit IdleFinder(const std::vector<std::string>& given) : given_(given) {}

  bool is_given(const std::string& flag) const { return std::ranges::count(given_, flag) > 0; }

  void add(const Names& are_idle, std::string why) {
    std::string flags;
    for (const std::string& flag : given_) {
      if (are_idle(flag)) {
        flags.append(flags.empty() ? "" : " ").append(flag);
      }
    }
    if (!flags.empty()) {
      found_.push_back({std::move(flags), std::move(why)});
    }
  }

  std::vector<UnusedFlags> take() { return std::move(found_); }

 private:
  const std::vector<std::string>& given_;
  std::vector<UnusedFlags> found_;
};

/// `tcp` of `--collector.tcp.max-ports`; empty for what is no setting of a collector.
std::string_view collector_of(std::string_view flag) {
  constexpr std::string_view prefix = "--collector.";
  if (!flag.starts_with(prefix)) {
    return {};
  }
  flag.remove_prefix(prefix.size());
  const auto dot = flag.find('.');
  return dot == std::string_view::npos ? std::string_view() : flag.substr(0, dot);
}

void add_settings_of_disabled_collectors(IdleFinder& idle, const Options& options) {
  idle.add(
      [&](std::string_view flag) {
        // It is the budget of passes in other network namespaces, too.
        if (flag == "--collector.tcp.cpu-budget" && options.netns.discovery != Discovery::off) {
          return false;
        }
        const std::string_view name = collector_of(flag);
        return !name.empty() &&
               std::ranges::count(options.collectors, name, &NamedCollector::name) == 0;
      },
      "the collector is not enabled");
}

}  // namespace

std::vector<UnusedFlags> unused_flags(const std::vector<std::string>& given,
                                      const Options& options) {
  IdleFinder idle(given);
  if (options.command == Command::sockets) {
    return {};  // it uses next to none of what a shared file would hold
  }
  add_settings_of_disabled_collectors(idle, options);
  // Who says off knows.
  if (!idle.is_given("--netns.discover")) {
    idle.add(
        [](std::string_view flag) {
          return flag.starts_with("--netns.") || flag == "--path.netns" ||
                 flag == "--path.pod-logs";
        },
        "--netns.discover is not given");
  }
  if (options.command == Command::serve) {
    if (!options.statsd.address) {
      idle.add([](std::string_view flag) { return flag.starts_with("--statsd."); },
               "--statsd.address is not given");
    }
    if (options.no_web) {
      idle.add(
          [](std::string_view flag) {
            return flag.starts_with("--web.") && flag != "--web.disable-exporter-metrics";
          },
          "--no-web is given");
    }
  }
  return idle.take();
}

}  // namespace inetdiag
