#include <algorithm>

#include "exporter/http/collector_query.h"
#include "tests/fuzz/target.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  const std::vector<std::string> enabled = {"listeners", "tcp", "nstat"};
  try {
    const Selection selection =
        parse_selection(input, enabled, {"listeners", "tcp", "nstat", "udp"});
    require(std::ranges::is_sorted(selection) &&
                std::ranges::adjacent_find(selection) == selection.end(),
            "each collector is asked once");
    require(selection.empty() || selection.back() < enabled.size(), "only enabled ones are asked");
  } catch (const BadRequest& refusal) {
    require(*refusal.what() != '\0', "a refusal says why");
  }
}

std::vector<std::string> seeds() {
  return {"collect[]=listeners&collect[]=tcp",
          "exclude%5B%5D=nstat",
          "collect[]=udp",
          "a=b&&c",
          "collect[]=%",
          "collect[]=%4",
          "collect[]=+"};
}

}  // namespace inetdiag::fuzz
