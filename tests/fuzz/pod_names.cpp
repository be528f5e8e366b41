// The names of folders, parted by slashes, which no name holds.
#include "collectors/kernel/netns/pod_names.h"

#include <filesystem>
#include <set>

#include "collectors/kernel/base/text.h"
#include "tests/fuzz/target.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  constexpr std::size_t most = 4;
  constexpr std::size_t longest_name = 255;
  const testing::TemporaryTree tree;
  std::set<std::string> made;
  while (!input.empty() && made.size() < most) {
    const std::string name(kernel::cut(input, '/').substr(0, longest_name));
    if (!name.empty() && name != "." && name != ".." && name.find('\0') == std::string::npos) {
      std::filesystem::create_directory(tree.root() + "/" + name);
      made.insert(name);
    }
  }
  for (const auto& [uid, pod] : pod_names(tree.root())) {
    require(made.contains(pod.pod_namespace + "_" + pod.name + "_" + uid),
            "a pod is named by a folder that is there");
    require(!uid.empty() && !pod.name.empty() && !pod.pod_namespace.empty(),
            "no part of a pod's name is empty");
  }
}

std::vector<std::string> seeds() {
  return {"shop_web-0_0a1b2c3d-0000-1111-2222-0123456789ab", "a_b_c/d_e_f/a__b/_a_b/a_b_/a_b_c_d"};
}

}  // namespace inetdiag::fuzz
