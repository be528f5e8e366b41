#include "exporter/cli/netns_flags.h"

#include <map>
#include <optional>
#include <regex>
#include <stdexcept>

namespace inetdiag {
namespace {

/// Queues, drops, cookies, retransmission and resets, and what they are a share of.
constexpr const char* telling_counters =
    "^TcpExt(Listen|TCPReqQFull|Syncookies|TCPTimeWaitOverflow|TCPAbortOn|TCPBacklogDrop|"
    "TCPRcvQDrop|"
    "TCPTimeouts|TCPSynRetrans|TCPLostRetransmit|TCPMemoryPressures|PruneCalled|TW$|EmbryonicRsts)|"
    "^Tcp(ActiveOpens|PassiveOpens|AttemptFails|EstabResets|CurrEstab|InSegs|OutSegs|RetransSegs|"
    "InErrs|OutRsts)$|^Udp6?(InErrors|RcvbufErrors|SndbufErrors|NoPorts)$";

const std::map<std::string, Discovery>& discoveries() {
  static const std::map<std::string, Discovery> all = {{"off", Discovery::off},
                                                       {"pinned", Discovery::pinned},
                                                       {"processes", Discovery::processes},
                                                       {"all", Discovery::all}};
  return all;
}

std::optional<std::regex> regex_of(const std::string& flag, const std::string& text) {
  try {
    return text.empty() ? std::nullopt : std::optional(std::regex(text));
  } catch (const std::regex_error& error) {
    throw std::invalid_argument(flag + ": '" + text +
                                "' is not a regular expression: " + error.what());
  }
}

}  // namespace

void add_netns_flags(CLI::App& app, NetnsFlags& flags) {
  const std::string group = "Network namespaces";
  add_choice(app,
             {.name = "--netns.discover",
              .value = "NAME",
              .help = "Which other network namespaces to ask: off, pinned (below "
                      "--path.netns), processes (those of all processes) or all; takes "
                      "CAP_SYS_ADMIN, for processes CAP_SYS_PTRACE too",
              .group = group},
             flags.discovery, keys_of(discoveries()));
  add_number(app,
             {.name = "--netns.max",
              .value = "N",
              .help = "Most other network namespaces that are asked; 0 only counts them",
              .group = group},
             flags.options.max);
  add_text(app,
           {.name = "--netns.include",
            .value = "REGEX",
            .help = "Ask only those whose label netns (name, or inode) matches",
            .group = group},
           flags.include);
  add_text(app,
           {.name = "--netns.exclude",
            .value = "REGEX",
            .help = "Do not ask those whose label netns matches",
            .group = group},
           flags.exclude);
  add_text(app,
           {.name = "--netns.nstat.include",
            .value = "REGEX",
            .help = "Their counters, by kernel names such as TcpExtListenDrops (default: those "
                    "that tell of queues, drops, cookies, retransmission and resets)",
            .group = group},
           flags.nstat_include);
  add_text(app,
           {.name = "--path.netns",
            .value = "DIR",
            .help = "Where network namespaces are pinned",
            .group = group},
           flags.options.folder);
  add_text(app,
           {.name = "--path.pod-logs",
            .value = "DIR",
            .help = "Folder of kubelet's pod logs, whose names tell the pods of namespaces",
            .group = group},
           flags.options.pod_logs);
}

NetnsOptions netns_options(const NetnsFlags& flags) {
  NetnsOptions options = flags.options;
  options.discovery = discoveries().at(flags.discovery);
  options.include = regex_of("--netns.include", flags.include);
  options.exclude = regex_of("--netns.exclude", flags.exclude);
  regex_of("--netns.nstat.include", flags.nstat_include);
  options.nstat_include = flags.nstat_include.empty() ? telling_counters : flags.nstat_include;
  return options;
}

}  // namespace inetdiag
