#include "exporter/commands/enter_namespace.h"

#include <stdexcept>
#include <system_error>

#include "collectors/kernel/netns/network_namespaces.h"

namespace inetdiag {

void enter_pinned_namespace(const std::vector<std::string>& directories, const std::string& name) {
  try {
    kernel::enter_network_namespace(kernel::pinned_network_namespace(directories, name));
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::operation_not_permitted) {
      throw;
    }
    throw std::runtime_error(std::string(error.what()) + " (needs CAP_SYS_ADMIN)");
  }
}

}  // namespace inetdiag
