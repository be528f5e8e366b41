#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/diagnosis/labels.h"
#include "exporter/diagnosis/snapshot.h"

namespace inetdiag::diagnosis {

/// One network namespace in the current snapshot and in the previous one.
struct NamespaceDelta {
  const std::string& netns;            ///< value of the label `netns`; empty for the exporter's own
  const std::string& netns_directory;  ///< directory of pinned namespaces
  const Namespace& now;
  const Namespace* before;  ///< null if the previous snapshot does not have the namespace

  /// Returns `labels` and the label `netns` of another namespace.
  LabelMap with_netns(LabelMap labels) const {
    if (!netns.empty()) {
      labels.emplace("netns", netns);
    }
    return labels;
  }

  /// Returns the growth of a counter; absent if either snapshot does not have it.
  std::optional<double> growth(std::string_view counter) const {
    return before != nullptr ? difference(now.value(counter), before->value(counter))
                             : std::nullopt;
  }
  bool grew(std::string_view counter) const { return growth(counter).value_or(0) > 0; }

  /// Returns the growth of the drops of one of `records`, identified by its member `key`.
  template <typename Record, typename Key>
  std::optional<double> drops_growth(const Record& record, std::vector<Record> Namespace::*records,
                                     Key Record::*key) const {
    if (before == nullptr) {
      return std::nullopt;
    }
    const auto& previous = before->*records;
    const auto found = std::ranges::find(previous, record.*key, key);
    return found == previous.end() ? std::nullopt : difference(record.drops, found->drops);
  }

 private:
  /// Returns 0 if the counter was reset.
  static std::optional<double> difference(std::optional<double> after,
                                          std::optional<double> previous) {
    return after && previous ? std::optional(std::max(0.0, *after - *previous)) : std::nullopt;
  }
};

}  // namespace inetdiag::diagnosis
