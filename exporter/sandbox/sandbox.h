#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace inetdiag {

/// The permissions that the process keeps while it serves. A feature that needs more adds them
/// here.
struct SandboxPolicy {
  std::vector<std::string> read_paths{};          ///< files, and directories with everything below
  std::vector<std::string> list_paths{};          ///< directories to list, and those below them
  std::vector<std::uint16_t> connect_to_ports{};  ///< outgoing TCP: DNS
  bool has_http_server = false;                   ///< a UNIX socket within this process
  bool allow_outgoing_datagrams = false;          ///< UDP and UNIX datagrams
  bool allow_setns = false;                       ///< to enter other network namespaces
  bool inspect_processes = false;                 ///< to find the namespaces of other processes
  std::vector<int> keep_capabilities{};           ///< CAP_* of linux/capability.h
};

/// The outcome of one part of the sandbox.
struct SandboxPart {
  std::string name{};
  bool is_applied = false;
  std::string detail{};  ///< why it is not applied, or what it does not cover
};

/// Restricts the calling thread, and all threads that it starts later, to the policy; seccomp also
/// applies to threads that already run. A part that this kernel or container does not support is
/// skipped, with the reason in `detail`; the other parts still apply.
std::vector<SandboxPart> enter_sandbox(const SandboxPolicy& policy);

/// Returns all parts, not applied, for --no-sandbox.
std::vector<SandboxPart> disabled_sandbox();

}  // namespace inetdiag
