#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace inetdiag {

/// What the process may still do while it serves. A feature that needs more adds it here.
struct SandboxPolicy {
  std::vector<std::string> read_paths{};          ///< files, and directories with everything below
  std::vector<std::string> list_paths{};          ///< directories: names in and below them
  std::vector<std::uint16_t> connect_to_ports{};  ///< outgoing TCP: the TLS backend, DNS
  bool allow_outgoing_datagrams = false;          ///< UDP and UNIX datagrams
  bool allow_setns = false;                       ///< to enter other network namespaces
  bool inspect_processes = false;                 ///< to find the namespaces of other processes
  std::vector<int> keep_capabilities{};           ///< CAP_* of linux/capability.h
};

/// The outcome of one stage of the sandbox.
struct SandboxStage {
  std::string name{};
  bool is_applied = false;
  std::string detail{};  ///< why it is not applied, or what it does not cover
};

/// Restricts the calling thread, and all threads that it starts later, to the policy; seccomp also
/// applies to threads that already run. A stage that this kernel or container does not support is
/// not applied and has a reason in `detail`; it is no exception, and the other stages apply.
std::vector<SandboxStage> enter_sandbox(const SandboxPolicy& policy);

/// Returns all stages, not applied, for --no-sandbox.
std::vector<SandboxStage> disabled_sandbox();

}  // namespace inetdiag
