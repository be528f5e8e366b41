#include "exporter/diagnosis/namespace_scope.h"

#include <filesystem>
#include <initializer_list>
#include <string_view>

#include "exporter/diagnosis/shell_safe.h"

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
         contains(text, "net.ipv6.") || (contains(text, "net.ipv4.") && !is_host_wide);
}

constexpr std::string_view enter_by_pid = "nsenter -n -t PID ";

/// Returns whether a command can contain the path. A namespace that only processes hold has none.
bool is_usable(const std::filesystem::path& pin) {
  return !pin.empty() && is_shell_safe(pin.string()) && is_shell_safe(pin.filename().string());
}

/// Returns whether the path is the directory of `ip netns`. In a container the host's directory has
/// another prefix, and the command runs on the host.
bool is_run_netns(const std::filesystem::path& path) {
  return path.string().ends_with("/run/netns");
}

/// Returns the shell command that runs another command in the namespace, with a trailing blank.
std::string command_prefix(const std::filesystem::path& pin) {
  if (!is_usable(pin)) {
    return std::string(enter_by_pid);
  }
  return is_run_netns(pin.parent_path()) ? "ip netns exec " + pin.filename().string() + " "
                                         : "nsenter --net=" + pin.string() + " ";
}

/// Returns the flags of our own command `sockets` for a pinned namespace, with a leading blank.
std::string sockets_flags(const std::filesystem::path& pin) {
  return (is_run_netns(pin.parent_path()) ? "" : " --path.netns=" + pin.parent_path().string()) +
         " --netns=" + pin.filename().string();
}

/// Inserts `prefix` before each of the commands. Returns whether it found any.
bool prefix_commands(const std::string& prefix, std::initializer_list<std::string_view> commands,
                     std::string& text) {
  bool found = false;
  for (const std::string_view command : commands) {
    for (auto at = text.find(command); at != std::string::npos; at = text.find(command, at)) {
      text.insert(at + 1, prefix);
      at += prefix.size() + 1;
      found = true;
    }
  }
  return found;
}

constexpr std::string_view sockets_command = "`inetdiag_exporter sockets";

/// Returns whether it inserted `prefix`.
bool scope_commands(const std::filesystem::path& pin, const std::string& prefix,
                    std::string& text) {
  const bool has_prefix = prefix_commands(prefix, {"`ss ", "`nstat ", "`tc "}, text);
  if (!is_usable(pin)) {
    return prefix_commands(prefix, {sockets_command}, text) || has_prefix;
  }
  if (const auto at = text.find(sockets_command); at != std::string::npos) {
    text.insert(at + sockets_command.size(), sockets_flags(pin));
  }
  return has_prefix;
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
  const std::filesystem::path pin = std::filesystem::path(delta.now.pin).lexically_normal();
  const std::string prefix = command_prefix(pin);
  if (finding.affected.kind != "namespace") {
    finding.affected.name += in_namespace(delta.netns, pod);
  }
  if (names_namespaced_sysctl(finding.limit)) {
    finding.limit += "," + in_namespace(delta.netns, pod);
  }
  const bool has_sysctl = names_namespaced_sysctl(finding.action);
  bool has_prefix = scope_commands(pin, prefix, finding.action);
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
