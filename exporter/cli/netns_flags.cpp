#include "exporter/cli/netns_flags.h"

#include <map>

namespace inetdiag {

void add_netns_flags(CLI::App& app, NetnsOptions& options) {
  const std::string group = netns_flag_group;
  add_choice(app,
             {.name = "--netns.discover",
              .value = "NAME",
              .help = "Which other network namespaces to monitor: off, pinned (in --path.netns), "
                      "processes (those of all processes) or all; needs CAP_SYS_ADMIN, and "
                      "CAP_SYS_PTRACE for processes",
              .group = group},
             options.discovery,
             std::map<std::string, Discovery>{{"off", Discovery::off},
                                              {"pinned", Discovery::pinned},
                                              {"processes", Discovery::processes},
                                              {"all", Discovery::all}});
  add_number(app,
             {.name = "--netns.max",
              .value = "N",
              .help = "Maximum number of other network namespaces to monitor; 0 only counts them",
              .group = group},
             options.max);
  add_value(app,
            {.name = "--netns.include",
             .value = "REGEX",
             .help = "Monitor only namespaces whose netns label (name or inode) matches",
             .group = group},
            [&](const std::string& text) { options.include.emplace(text); });
  add_value(app,
            {.name = "--netns.exclude",
             .value = "REGEX",
             .help = "Do not monitor namespaces whose netns label matches",
             .group = group},
            [&](const std::string& text) { options.exclude.emplace(text); });
  add_percentage(app,
                 {.name = "--netns.cpu-budget",
                  .value = "PERCENT",
                  .help = "Share of one CPU that dumps of TCP sockets in other namespaces may use; "
                          "0 disables them, 100% dumps at every scrape",
                  .group = group},
                 options.cpu_budget);
  add_texts(app,
            {.name = "--path.netns",
             .value = "DIR",
             .help = "Directory of pinned network namespaces, repeatable: Docker has its own, "
                     "/run/docker/netns",
             .group = group},
            options.directories);
}

}  // namespace inetdiag
