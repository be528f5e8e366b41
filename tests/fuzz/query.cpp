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
            "selected collectors are unique");
    require(selection.empty() || selection.back() < enabled.size(),
            "selected collectors are enabled");
  } catch (const BadRequest& error) {
    require(*error.what() != '\0', "errors have a message");
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
