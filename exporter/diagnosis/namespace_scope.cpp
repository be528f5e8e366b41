#include "exporter/diagnosis/namespace_scope.h"

#include <filesystem>
#include <string_view>

namespace inetdiag::diagnosis {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Of those that rules name, what each namespace has for itself.
bool names_own_sysctl(std::string_view text) {
  return contains(text, "net.core.somaxconn") || contains(text, "net.ipv4.");
}

/// Whether a shell takes it as it stands, and a command for no option.
bool is_plain(std::string_view path) {
  constexpr std::string_view plain =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-/";
  return path.find_first_not_of(plain) == std::string_view::npos && !path.starts_with('-');
}

constexpr std::string_view beside_a_process = "nsenter -n -t PID ";

/// What runs a command there, for a shell. The label is an inode where the namespace has no name,
/// and a name may be any that a file can have.
std::string runner(const std::string& netns, const std::string& folder) {
  const bool is_inode = netns.find_first_not_of("0123456789") == std::string::npos;
  if (is_inode || !is_plain(netns) || !is_plain(folder)) {
    return std::string(beside_a_process);
  }
  // A container sees the host's folder below another one; the command is for the host.
  const auto pin = (std::filesystem::path(folder) / netns).lexically_normal();
  return pin.parent_path().string().ends_with("/run/netns") ? "ip netns exec " + netns + " "
                                                            : "nsenter --net=" + pin.string() + " ";
}

/// Puts `runner` before each command that looks at sockets or counters; whether there was one.
bool run_commands_by(const std::string& runner, std::string& text) {
  bool found = false;
  for (const std::string_view command : {"`ss ", "`nstat "}) {
    for (auto at = text.find(command); at != std::string::npos; at = text.find(command, at)) {
      text.insert(at + 1, runner);
      at += runner.size() + 1;
      found = true;
    }
  }
  return found;
}

}  // namespace

std::string place(const std::string& netns, const std::string& pod) {
  if (netns.empty()) {
    return "this host";
  }
  return pod.empty() ? "namespace " + netns : "pod " + pod;
}

void scope_to_namespace(Finding& finding, const NamespaceDelta& look) {
  if (look.netns.empty()) {
    return;
  }
  const std::string there = " in " + place(look.netns, look.now.pod);
  const std::string runner = diagnosis::runner(look.netns, look.netns_folder);
  if (finding.affected.kind != "namespace") {  // which is a place itself
    finding.affected.name += there;
  }
  if (names_own_sysctl(finding.limit)) {
    finding.limit += "," + there;
  }
  const bool has_sysctl = names_own_sysctl(finding.action);
  bool has_runner = run_commands_by(runner, finding.action);
  if (has_sysctl && !look.now.pod.empty()) {
    finding.action +=
        " The sysctl is the pod's own: set it in its securityContext.sysctls, as far as the "
        "kubelet allows it.";
  } else if (has_sysctl) {
    finding.action += " The sysctl is the namespace's own: `" + runner + "sysctl -w ...`.";
    has_runner = true;
  }
  if (contains(finding.action, "net.core.rmem_")) {
    finding.action += " Both sysctls are the host's.";
  }
  if (has_runner && runner == beside_a_process) {
    finding.action += " PID is that of any process there (`lsns -t net`).";
  }
}

}  // namespace inetdiag::diagnosis
