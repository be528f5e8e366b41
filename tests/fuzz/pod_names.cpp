// Directory names, separated by slashes.
#include "collectors/kernel/netns/pod_names.h"

#include <filesystem>
#include <set>

#include "collectors/kernel/base/text.h"
#include "tests/fuzz/target.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  constexpr std::size_t max_directories = 4;
  constexpr std::size_t max_name_bytes = 255;
  const testing::TemporaryTree tree;
  std::set<std::string> created;
  while (!input.empty() && created.size() < max_directories) {
    const std::string name(kernel::cut(input, '/').substr(0, max_name_bytes));
    if (!name.empty() && name != "." && name != ".." && name.find('\0') == std::string::npos) {
      std::filesystem::create_directory(tree.root() + "/" + name);
      created.insert(name);
    }
  }
  for (const auto& [uid, pod] : kernel::read_pod_names(tree.root())) {
    require(created.contains(pod.pod_namespace + "_" + pod.name + "_" + uid),
            "pods have a directory");
    require(!uid.empty() && !pod.name.empty() && !pod.pod_namespace.empty(),
            "namespace, name and UID are not empty");
  }
  for (const auto& [id, container] : kernel::read_container_names(tree.root())) {
    require(!id.empty() && !container.name.empty(), "ID and name are not empty");
    require(created.contains(container.pod.name + "_" + container.pod.pod_namespace + "_" +
                             container.name + "-" + id + ".log"),
            "containers have a log file");
  }
}

std::vector<std::string> seeds() {
  return {"shop_web-0_0a1b2c3d-0000-1111-2222-0123456789ab", "a_b_c/d_e_f/a__b/_a_b/a_b_/a_b_c_d",
          "web-0_shop_nginx-0123456789abcdef.log/a_b_c.log/a_b_-d.log/a_b_c-.log"};
}

}  // namespace inetdiag::fuzz
