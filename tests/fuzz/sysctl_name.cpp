#include "collectors/kernel/proc/sysctl.h"
#include "tests/fuzz/target.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  const std::string path = "/" + kernel::sysctl_path(input) + "/";
  require(path == "//" || path.starts_with("/sys/"), "sysctl paths are below sys");
  require(path.find("/../") == std::string::npos && path.find("/./") == std::string::npos,
          "sysctl paths do not leave sys");
}

std::vector<std::string> seeds() {
  return {"net.ipv4.tcp_mem",
          "net/ipv4/conf/eth0.1/rp_filter",
          "net.ipv4.conf.eth0/1.rp_filter",
          "../x",
          "net...x",
          "net.//.x"};
}

}  // namespace inetdiag::fuzz
