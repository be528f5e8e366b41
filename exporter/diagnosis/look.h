#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/diagnosis/snapshot.h"

namespace inetdiag::diagnosis {

/// One network namespace now and, where there was an earlier look, then.
struct Look {
  const std::string& netns;  ///< its name; empty: the exporter's own
  const Namespace& now;
  const Namespace* before;

  /// How much a counter grew between the looks; 0 too where there is only one look, or no counter.
  double growth(std::string_view counter) const {
    const auto after = now.value(counter);
    const auto then = before != nullptr ? before->value(counter) : std::nullopt;
    return after && then ? std::max(0.0, *after - *then) : 0;
  }

  /// The same for the drops of one of `things`, found in the earlier look by what names it.
  template <typename Thing, typename Name>
  double drops_growth(const Thing& thing, std::vector<Thing> Namespace::*things,
                      Name Thing::*name) const {
    if (before == nullptr || !thing.drops) {
      return 0;
    }
    for (const Thing& earlier : before->*things) {
      if (earlier.*name == thing.*name && earlier.drops) {
        return std::max(0.0, *thing.drops - *earlier.drops);
      }
    }
    return 0;
  }
};

}  // namespace inetdiag::diagnosis
