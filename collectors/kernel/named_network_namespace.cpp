#include "collectors/kernel/named_network_namespace.h"

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sched.h>

#include "collectors/kernel/unique_fd.h"

namespace inetdiag::kernel {

void enter_named_network_namespace(const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
    throw std::invalid_argument("'" + name + "' is no name of a network namespace (ip netns)");
  }
  const std::string path = "/run/netns/" + name;
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    throw std::system_error(errno, std::generic_category(), "no network namespace " + path);
  }
  if (::setns(file.get(), CLONE_NEWNET) != 0) {
    const std::string needs = errno == EPERM ? ", which needs CAP_SYS_ADMIN" : "";
    throw std::system_error(errno, std::generic_category(),
                            "cannot enter the network namespace " + path + needs);
  }
}

}  // namespace inetdiag::kernel
