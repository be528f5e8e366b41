#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace inetdiag {

/// What the process still may do once it serves. A feature that needs more says so here.
struct SandboxPolicy {
  std::vector<std::string> read_paths{};          ///< files, and folders with all below them
  std::vector<std::string> list_paths{};          ///< folders: names of what is in and below them
  std::vector<std::uint16_t> connect_to_ports{};  ///< outgoing TCP: to the TLS server, to DNS
  bool allow_outgoing_datagrams = false;          ///< UDP and UNIX datagrams
  bool allow_setns = false;                       ///< to enter other network namespaces
  bool inspect_processes = false;                 ///< to find those of other processes
  std::vector<int> keep_capabilities{};           ///< numbers of linux/capability.h
};

/// What became of one part of the sandbox.
struct SandboxStage {
  std::string name{};
  bool is_on = false;
  std::string detail{};  ///< why it is off, or what it leaves open
};

/// Gives up, for the calling thread and every thread that it starts from now on, what the policy
/// does not name; seccomp also reaches threads that run already. A part that this kernel or
/// container does not allow is off, with its reason; the others apply. Never throws for such a
/// reason.
std::vector<SandboxStage> enter_sandbox(const SandboxPolicy& policy);

}  // namespace inetdiag
