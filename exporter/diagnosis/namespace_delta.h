#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/diagnosis/snapshot.h"

namespace inetdiag::diagnosis {

/// One network namespace now and, where there was an earlier look, then.
class NamespaceDelta {
 public:
  NamespaceDelta(const std::string& name, const Namespace& there, const Namespace* then,
                 const std::string& folder)
      : netns(name), netns_folder(folder), now(there), before(then) {}

  const std::string& netns;         ///< its name; empty: the exporter's own
  const std::string& netns_folder;  ///< where it is pinned, if it is
  const Namespace& now;
  const Namespace* before;

  /// How much a counter grew between the looks; absent where one of them does not have it.
  std::optional<double> growth(std::string_view counter) const {
    return before != nullptr ? grown(now.value(counter), before->value(counter)) : std::nullopt;
  }
  bool grew(std::string_view counter) const { return growth(counter).value_or(0) > 0; }

  /// The same for the drops of one of `things`, found in the earlier look by what names it.
  template <typename Thing, typename Name>
  std::optional<double> drops_growth(const Thing& thing, std::vector<Thing> Namespace::*things,
                                     Name Thing::*name) const {
    if (before == nullptr) {
      return std::nullopt;
    }
    const auto& earlier = before->*things;
    const auto found = std::ranges::find(earlier, thing.*name, name);
    return found == earlier.end() ? std::nullopt : grown(thing.drops, found->drops);
  }

 private:
  static std::optional<double> grown(std::optional<double> after, std::optional<double> then) {
    return after && then ? std::optional(std::max(0.0, *after - *then)) : std::nullopt;
  }
};

}  // namespace inetdiag::diagnosis
