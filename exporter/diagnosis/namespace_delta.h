#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/diagnosis/finding.h"
#include "exporter/diagnosis/labels.h"
#include "exporter/diagnosis/metric_names.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/snapshot.h"

namespace inetdiag::diagnosis {

/// One network namespace in the current snapshot and in the previous one.
struct NamespaceDelta {
  const std::string& netns;  ///< value of the label `netns`; empty for the exporter's own
  const Namespace& now;
  const Namespace* before = nullptr;  ///< null if the previous snapshot does not have the namespace
  double seconds = 0;                 ///< since `before`

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

  /// Returns `record`, identified by its member `key`, in the previous snapshot; null if absent.
  template <typename Record, typename Key>
  const Record* previous(const Record& record, std::vector<Record> Namespace::*records,
                         Key Record::*key) const {
    if (before == nullptr) {
      return nullptr;
    }
    const auto found = std::ranges::lower_bound(before->*records, record.*key, {}, key);
    return found == (before->*records).end() || (*found).*key != record.*key ? nullptr : &*found;
  }
  const Listener* previous(const Listener& listener) const {
    return previous(listener, &Namespace::listeners, &Listener::endpoint);
  }

  /// Returns the growth of a counter of a listener; absent if unknown, as that of a new listener:
  /// its endpoint may have had one before.
  std::optional<double> growth(const Listener& listener,
                               std::optional<double> Listener::*counter) const {
    const Listener* then = previous(listener);
    return then == nullptr ? std::nullopt : difference(listener.*counter, then->*counter);
  }

  /// Returns the share of a limit that is in use; 0 if the limit is unknown.
  double usage_ratio(std::string_view used, std::string_view limit) const {
    const double value = now.value(limit).value_or(0);
    return value > 0 ? now.value(used).value_or(0) / value : 0;
  }

  /// Returns the subject of a finding about a sysctl.
  Affected affected_limit(const std::string& sysctl) const {
    return {.kind = "limit", .name = sysctl, .labels = with_netns({})};
  }

  double per_second(double count) const { return seconds > 0 ? count / seconds : 0; }

  /// Returns the time since the previous snapshot as ` in the last 1.0 s`; empty without one.
  std::string over_interval() const {
    return before == nullptr ? "" : " in the last " + format_duration(seconds);
  }

  /// Returns 0 if the counter was reset.
  static std::optional<double> difference(std::optional<double> after,
                                          std::optional<double> previous) {
    return after && previous ? std::optional(std::max(0.0, *after - *previous)) : std::nullopt;
  }
};

}  // namespace inetdiag::diagnosis
