#include "collectors/kernel/interface_name.h"

#include <array>

#include <net/if.h>

namespace inetdiag::kernel {

std::string interface_name(std::uint32_t index) {
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(index, name.data()) == nullptr) {
    return "if" + std::to_string(index);
  }
  return name.data();
}

}  // namespace inetdiag::kernel
