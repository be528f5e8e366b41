#include "collectors/kernel/netns/cgroup.h"

#include "tests/fuzz/target.h"

namespace inetdiag::fuzz {

namespace {

void require_sound(const kernel::CgroupOwner& owner, std::string_view input) {
  constexpr std::string_view hex = "0123456789abcdef";
  require(owner.container_id.empty() ||
              (owner.container_id.size() == 64 &&
               owner.container_id.find_first_not_of(hex) == std::string::npos),
          "a container's id is 64 hexadecimal digits");
  require(owner.pod_uid.find_first_not_of(std::string(hex) + '-') == std::string::npos,
          "a pod's uid is hexadecimal digits and hyphens");
  require(owner.unit.find('/') == std::string::npos && input.find(owner.unit) != input.npos,
          "a unit is one of the names in the path");
}

}  // namespace

void run(std::string_view input) {
  require_sound(kernel::owner_of_cgroup(input), input);
  const kernel::CgroupOwner owner = kernel::owner_of_process(input);
  require_sound(owner, input);
  require(owner == kernel::CgroupOwner() || !owner.pod_uid.empty() || !owner.container_id.empty(),
          "a process belongs to a pod or container, or nothing is said");
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
