#include "exporter/sandbox/sandbox.h"

#include <cerrno>
#include <exception>
#include <functional>
#include <system_error>

#include <sys/prctl.h>

#include "exporter/build_info.h"
#include "exporter/sandbox/capabilities.h"
#include "exporter/sandbox/landlock.h"
#include "exporter/sandbox/seccomp.h"

namespace inetdiag {
namespace {

std::string set_no_new_privileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    throw std::system_error(errno, std::generic_category(), "prctl");
  }
  return {};
}

}  // namespace

std::vector<SandboxPart> disabled_sandbox() {
  return {{.name = "capabilities"},
          {.name = "no_new_privs"},
          {.name = "landlock"},
          {.name = "seccomp"}};
}

std::vector<SandboxPart> enter_sandbox(const SandboxPolicy& policy) {
  struct Part {
    const char* name;
    std::function<std::string()> apply;
  };
  // The order matters: dropping from the bounding set needs CAP_SETPCAP, unprivileged Landlock and
  // seccomp need no_new_privs, and seccomp forbids the system calls of the other parts.
  const std::vector<Part> parts = {
      {"capabilities",
       [&] {
         drop_capabilities(policy.keep_capabilities);
         return std::string();
       }},
      {"no_new_privs", set_no_new_privileges},
      {"landlock", [&] { return restrict_files(policy); }},
      {"seccomp",
       [&] {
         restrict_system_calls(policy);
         return std::string();
       }},
  };
  std::vector<SandboxPart> results;
  for (const Part& part : parts) {
    SandboxPart& result = results.emplace_back(SandboxPart{.name = part.name});
    if (build_info::sanitizers != "none") {
      result.detail = "built with sanitizers, which the sandbox would break";
      continue;
    }
    try {
      result.detail = part.apply();
      result.is_applied = true;
    } catch (const std::exception& error) {
      result.detail = error.what();
    }
  }
  return results;
}

}  // namespace inetdiag
