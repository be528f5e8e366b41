#include "collectors/kernel/netlink/interface_name.h"

#include <array>
#include <cerrno>
#include <system_error>

#include <net/if.h>

namespace inetdiag::kernel {

std::string interface_name(std::uint32_t index) {
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(index, name.data()) != nullptr) {
    return name.data();
  }
  if (errno != ENXIO && errno != ENODEV) {
    throw std::system_error(errno, std::generic_category(),
                            "cannot read the name of a network interface");
  }
  return "if" + std::to_string(index);
}

}  // namespace inetdiag::kernel
