#pragma once

#include <map>
#include <string>
#include <string_view>

namespace inetdiag::diagnosis {

using LabelMap = std::map<std::string, std::string>;

/// Returns the PromQL selector of a series: `metric{address="0.0.0.0",port="443"}`.
std::string selector(std::string_view metric, const LabelMap& labels);

}  // namespace inetdiag::diagnosis
