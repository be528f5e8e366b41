#include "collectors/kernel/netns/cgroup.h"

#include "tests/fuzz/target.h"

namespace inetdiag::fuzz {

namespace {

void require_valid(const kernel::CgroupOwner& owner, std::string_view input) {
  constexpr std::string_view hex = "0123456789abcdef";
  require(owner.container_id.empty() ||
              (owner.container_id.size() == 64 &&
               owner.container_id.find_first_not_of(hex) == std::string::npos),
          "container IDs have 64 hexadecimal digits");
  require(owner.pod_uid.find_first_not_of(std::string(hex) + '-') == std::string::npos,
          "pod UIDs consist of hexadecimal digits and hyphens");
  require(owner.unit.find('/') == std::string::npos && input.find(owner.unit) != input.npos,
          "units are components of the path");
}

}  // namespace

void run(std::string_view input) {
  require_valid(kernel::owner_of_cgroup(input), input);
  const kernel::CgroupOwner owner = kernel::owner_of_process(input);
  require_valid(owner, input);
  require(owner == kernel::CgroupOwner() || !owner.pod_uid.empty() || !owner.container_id.empty(),
          "owners of processes are pods or containers");
}

std::vector<std::string> seeds() {
  const std::string id(64, 'a');
  const std::string uid = "0a1b2c3d_0000_1111_2222_0123456789ab";
  return {"/system.slice/nginx.service",
          "/kubepods.slice/kubepods-burstable-pod" + uid + ".slice/cri-containerd-" + id + ".scope",
          "/kubepods/pod" + std::string(32, 'f') + "/" + id,
          "/system.slice/docker-" + id + ".scope",
          "12:cpu:/\n0::/system.slice/docker-" + id + ".scope\n1:name=systemd:/kubepods/pod" + uid};
}

}  // namespace inetdiag::fuzz
