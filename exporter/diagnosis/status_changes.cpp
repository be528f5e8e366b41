#include "exporter/diagnosis/status_changes.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "exporter/diagnosis/phrases.h"
#include "exporter/diagnosis/terminal.h"

namespace inetdiag::diagnosis {
namespace {

const Finding* find_same(const std::vector<Finding>& findings, const Finding& finding) {
  const auto found = std::ranges::find_if(findings, [&](const Finding& other) {
    return other.rule == finding.rule && other.affected.name == finding.affected.name;
  });
  return found == findings.end() ? nullptr : &*found;
}

std::string change_line(const Status& now, const std::string& change, const Finding& finding,
                        const std::string& text) {
  return fmt::format("{} {} {}: {}\n", format_time(now.time), change,
                     replace_controls(finding.affected.name), replace_controls(text));
}

}  // namespace

std::string status_changes(const Status* before, const Status& now) {
  const std::vector<Finding> none;
  const std::vector<Finding>& earlier = before == nullptr ? none : before->findings;
  std::string text;
  if (before == nullptr) {
    text = fmt::format("{} {}: {}\n", format_time(now.time), replace_controls(now.host),
                       replace_controls(headline(now)));
  }
  for (const Finding& finding : now.findings) {
    const Finding* same = find_same(earlier, finding);
    if (same == nullptr || same->severity != finding.severity) {
      text += change_line(now, upper_name_of(finding.severity), finding, finding.summary);
    }
  }
  for (const Finding& finding : earlier) {
    if (find_same(now.findings, finding) == nullptr) {
      text += change_line(now, "RESOLVED", finding, finding.rule);
    }
  }
  return text;
}

}  // namespace inetdiag::diagnosis
