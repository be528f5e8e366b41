// The families of a collector as a constant table of type, name, help and a function that computes
// the value of a row.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "collectors/support/family.h"

namespace inetdiag {

/// `Row` holds the data of one label set, such as a group of sockets.
template <typename Row>
struct FamilySpec {
  prometheus::MetricType type = prometheus::MetricType::Gauge;
  std::string_view name;
  std::string_view help;
  std::optional<double> (*value)(const Row& row);  ///< std::nullopt: the row has no such series
};

/// Returns a number, or an optional number, as the value of a series.
template <typename Number>
constexpr std::optional<double> sample(Number number) {
  return static_cast<double>(number);
}
template <typename Number>
constexpr std::optional<double> sample(std::optional<Number> number) {
  return number ? sample(*number) : std::nullopt;
}

/// FamilySpec::value for a series that is a data member of the row.
template <auto member, typename Row>
std::optional<double> field(const Row& row) {
  return sample(row.*member);
}

template <typename Row>
class FamilyTable {
 public:
  /// `specs` must outlive the table.
  explicit FamilyTable(std::span<const FamilySpec<Row>> specs) : specs_(specs) {
    families_.reserve(specs.size());
    for (const FamilySpec<Row>& spec : specs) {
      families_.push_back(
          {std::string(spec.name), std::string(spec.help), spec.type, /*metric=*/{}});
    }
  }

  /// Adds one series to each family for which the row has a value. `created` is that of its
  /// counters.
  void add(const Labels& labels, const Row& row, CreatedTime created = {}) {
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      if (const auto value = specs_[i].value(row)) {
        add_series(families_[i], labels, *value, created);
      }
    }
  }

  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  std::span<const FamilySpec<Row>> specs_;
  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace inetdiag
