#include "exporter/diagnosis/namespace_scope.h"

#include <filesystem>
#include <string_view>

namespace inetdiag::diagnosis {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Returns whether `text` names a per-namespace sysctl. Knows only the sysctls in the rules.
bool names_namespaced_sysctl(std::string_view text) {
  const bool is_host_wide =
      contains(text, "net.ipv4.tcp_mem") || contains(text, "net.ipv4.tcp_max_orphans");
  return contains(text, "net.core.somaxconn") || contains(text, "net.unix.") ||
         (contains(text, "net.ipv4.") && !is_host_wide);
}

/// Returns whether the path needs no quotes in a shell and cannot be taken for an option.
bool is_shell_safe(std::string_view path) {
  constexpr std::string_view safe =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-/";
  return path.find_first_not_of(safe) == std::string_view::npos && !path.starts_with('-');
}

constexpr std::string_view enter_by_pid = "nsenter -n -t PID ";

/// Returns the shell command that runs another command in the namespace, with a trailing blank.
std::string command_prefix(const std::string& netns, const std::string& directory) {
  // The label of a namespace that is not pinned is its inode.
  const bool is_inode = netns.find_first_not_of("0123456789") == std::string::npos;
  if (is_inode || !is_shell_safe(netns) || !is_shell_safe(directory)) {
    return std::string(enter_by_pid);
  }
  // In a container the host's directory has another prefix, and the command runs on the host.
  const auto pin = (std::filesystem::path(directory) / netns).lexically_normal();
  return pin.parent_path().string().ends_with("/run/netns") ? "ip netns exec " + netns + " "
                                                            : "nsenter --net=" + pin.string() + " ";
}

/// Inserts `prefix` before each `ss` and `nstat`. Returns whether it found any.
bool prefix_commands(const std::string& prefix, std::string& text) {
  bool found = false;
  for (const std::string_view command : {"`ss ", "`nstat "}) {
    for (auto at = text.find(command); at != std::string::npos; at = text.find(command, at)) {
      text.insert(at + 1, prefix);
      at += prefix.size() + 1;
      found = true;
    }
  }
  return found;
}

}  // namespace

std::string namespace_name(const std::string& netns, const std::string& pod) {
  if (netns.empty()) {
    return "this host";
  }
  return pod.empty() ? "namespace " + netns : "pod " + pod;
}

std::string in_namespace(const std::string& netns, const std::string& pod) {
  return netns.empty() ? "" : " in " + namespace_name(netns, pod);
}

void scope_to_namespace(Finding& finding, const NamespaceDelta& delta) {
  if (delta.netns.empty()) {
    return;
  }
  const std::string& pod = delta.now.pod;
  const std::string prefix = command_prefix(delta.netns, delta.netns_directory);
  if (finding.affected.kind != "namespace") {
    finding.affected.name += in_namespace(delta.netns, pod);
  }
  if (names_namespaced_sysctl(finding.limit)) {
    finding.limit += "," + in_namespace(delta.netns, pod);
  }
  const bool has_sysctl = names_namespaced_sysctl(finding.action);
  bool has_prefix = prefix_commands(prefix, finding.action);
  if (has_sysctl && !pod.empty()) {
    finding.action +=
        " This sysctl is per network namespace: set it in the pod's securityContext.sysctls, if "
        "the kubelet allows it.";
  } else if (has_sysctl) {
    finding.action += " This sysctl is per network namespace: `" + prefix + "sysctl -w ...`.";
    has_prefix = true;
  }
  if (contains(finding.action, "net.core.rmem_")) {
    finding.action += " Both sysctls are host-wide.";
  }
  if (has_prefix && prefix == enter_by_pid) {
    finding.action += " PID is any process in the namespace (`lsns -t net`).";
  }
}

}  // namespace inetdiag::diagnosis
