#include "exporter/commands/enter_namespace.h"

#include <stdexcept>
#include <string>
#include <system_error>

namespace inetdiag {

void enter_namespace(const kernel::NetworkNamespace& target) {
  try {
    kernel::enter_network_namespace(target);
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::operation_not_permitted) {
      throw;
    }
    throw std::runtime_error(std::string(error.what()) + " (needs CAP_SYS_ADMIN)");
  }
}

}  // namespace inetdiag
