#include "exporter/diagnosis/watch_frame.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/painter.h"
#include "exporter/diagnosis/phrases.h"
#include "exporter/diagnosis/terminal.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {
namespace {

using Lines = std::vector<std::string>;

constexpr std::size_t min_rows_for_findings = 6;
constexpr std::size_t min_rows_for_blank_lines = 16;

struct QueueRow {
  const QueueFill* queue = nullptr;
  double peak = 0;
  std::string name{};
  std::string owner{};
  std::string usage{};
};

/// Widths, without the blank between columns; 0: the column is omitted.
struct QueueColumns {
  std::size_t kind = 0;
  std::size_t name = 0;
  std::size_t owner = 0;
  std::size_t usage = 0;
  std::size_t bar = 0;
  std::size_t percent = 5;
  std::size_t sparkline = 0;
};

std::string_view kind_name(QueueKind kind) {
  constexpr std::array<std::string_view, 4> names = {"accept", "SYN", "UDP", "UNIX"};
  return names.at(static_cast<std::size_t>(kind));
}

std::string left(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, display_width(text)), ' ');
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, display_width(text)), ' ') + text;
}

std::string without_trailing_blanks(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

Lines split_lines(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(std::move(line));
  }
  return lines;
}

std::size_t wanted_sparkline(std::size_t columns) {
  // Divisors of FillHistory::slots, so that each character has the same number of slots.
  return columns >= 110 ? 30 : columns >= 60 ? 15 : columns >= 48 ? 10 : 0;
}

std::size_t wanted_bar(std::size_t columns) {
  return columns >= 100 ? 22 : columns >= 70 ? 12 : columns >= 56 ? 7 : 0;
}

/// Builds the lines of a frame, from the top.
class FrameBuilder {
 public:
  FrameBuilder(const WatchView& view, const FillHistory& history)
      : view_(view), history_(history), painter_(view.use_color) {}

  void add_header(const Status& status) {
    const std::string time = format_time(status.time);
    const std::string interval = fmt::format("every {:g} s", view_.interval_seconds);
    std::string text = clean(status.host) + "  " + time + "  " + interval;
    const std::string keys = "q: quit";
    if (display_width(text) + keys.size() + 2 <= view_.columns) {
      text += right(keys, view_.columns - display_width(text));
    }
    if (view_.rows > 1) {
      lines_.push_back(painter_.heading(fit(text)));
    }
    add_verdict(status);
  }

  void add_findings(const std::vector<Finding>& findings, std::size_t queues) {
    if (findings.empty() || view_.rows < min_rows_for_findings) {
      return;
    }
    add_blank_line();
    // At least half of the rest is for the queues, if there are so many.
    const std::size_t rest = rows_left();
    const std::size_t budget = rest - std::min(queues + 3, rest - rest / 2);
    const bool fits = findings.size() <= budget;
    const std::size_t shown = fits ? findings.size() : budget - 1;
    const std::size_t end = lines_.size() + budget;
    for (std::size_t i = 0; i < shown; ++i) {
      const Lines block = finding_block(findings[i]);
      const std::size_t reserved = shown - i - 1 + (fits ? 0 : 1);
      if (lines_.size() + block.size() + reserved <= end) {
        lines_.insert(lines_.end(), block.begin(), block.end());
      } else {
        lines_.push_back(finding_line(findings[i]));
      }
    }
    if (!fits) {
      lines_.push_back(fit(fmt::format("and {} more findings", findings.size() - shown)));
    }
  }

  void add_queues(std::vector<QueueRow> rows) {
    if (rows_left() == 0) {
      return;
    }
    if (rows.empty()) {
      add_blank_line();
      lines_.push_back(fit("No queue has an entry."));
      return;
    }
    constexpr std::size_t min_rows_for_heading = 3;
    if (rows_left() > min_rows_for_heading) {
      add_blank_line();
    }
    const bool has_heading = rows_left() >= min_rows_for_heading;
    const std::size_t room = rows_left() - (has_heading ? 1 : 0);
    const std::size_t shown = rows.size() <= room ? rows.size() : room - (room > 1 ? 1 : 0);
    const auto is_not_empty = [](const QueueRow& row) { return row.queue->ratio > 0; };
    const auto hidden_with_entries =
        std::count_if(rows.begin() + static_cast<std::ptrdiff_t>(shown), rows.end(), is_not_empty);
    const std::size_t hidden = rows.size() - shown;
    rows.resize(shown);
    for (QueueRow& row : rows) {
      describe(row);
    }
    const QueueColumns columns = fit_columns(rows);
    if (has_heading) {
      lines_.push_back(painter_.heading(fit(heading(columns))));
    }
    for (const QueueRow& row : rows) {
      lines_.push_back(queue_line(row, columns));
    }
    if (hidden > 0 && rows_left() > 0) {
      lines_.push_back(fit(
          hidden_with_entries > 0
              ? fmt::format("and {} more queues, {} of them not empty", hidden, hidden_with_entries)
              : fmt::format("and {} more queues, all empty", hidden)));
    }
  }

  Lines lines() && { return std::move(lines_); }

 private:
  std::string clean(const std::string& text) const {
    return view_.is_utf8 ? replace_controls(text) : replace_non_ascii(replace_controls(text));
  }
  const char* mark() const { return view_.is_utf8 ? "…" : "~"; }
  std::string fit(const std::string& text) const { return truncate(text, view_.columns, mark()); }
  std::size_t rows_left() const { return view_.rows - std::min(view_.rows, lines_.size()); }

  void add_blank_line() {
    if (view_.rows >= min_rows_for_blank_lines) {
      lines_.emplace_back();
    }
  }

  void add_verdict(const Status& status) {
    const std::string text = status.seconds_since_previous
                                 ? clean(headline(status))
                                 : "Findings follow with the next snapshot.";
    Lines lines = {text};
    if (view_.rows >= min_rows_for_blank_lines) {
      lines = split_lines(wrap("", text, 0, view_.columns));
    }
    while (lines.size() > 2) {
      const std::string last = lines.back();
      lines.pop_back();
      lines.back() += " " + last;
    }
    const auto severity = status.severity();
    for (const std::string& line : lines) {
      lines_.push_back(severity ? painter_.severity(*severity, fit(line)) : fit(line));
    }
  }

  /// Returns severity and name, and in a line that follows them the text as far as it fits.
  std::string finding_line(const Finding& finding) const {
    const std::string head =
        fit(upper_name_of(finding.severity) + "  " + clean(finding.affected.name));
    const std::size_t used = display_width(head) + 2;
    const std::string rest =
        used < view_.columns ? "  " + truncate(clean(finding.summary), view_.columns - used, mark())
                             : "";
    return painter_.severity(finding.severity, head) + rest;
  }

  Lines finding_block(const Finding& finding) const {
    constexpr std::size_t indent = 2;
    Lines lines = {painter_.severity(finding.severity, fit(upper_name_of(finding.severity) + "  " +
                                                           clean(finding.affected.name)))};
    for (const std::string& text : {finding.summary, finding.action}) {
      for (const std::string& line : split_lines(wrap("  ", clean(text), indent, view_.columns))) {
        lines.push_back(fit(line));
      }
    }
    return lines;
  }

  void describe(QueueRow& row) const {
    const QueueFill& queue = *row.queue;
    const std::string& netns = queue.key.netns;
    row.name = clean(queue.key.name);
    if (!netns.empty()) {
      row.name += " @" + clean(queue.pod.empty() ? netns : queue.pod);
    }
    row.owner = clean(queue.owner);
    constexpr std::string_view suffix = ".service";
    if (row.owner.ends_with(suffix)) {
      row.owner.resize(row.owner.size() - suffix.size());
    }
    row.usage = queue.is_bytes ? format_bytes(queue.used) + "/" + format_bytes(queue.limit)
                               : format_short_number(queue.used, 6) + "/" +
                                     format_short_number(queue.limit, 6);
    std::erase(row.usage, ' ');
  }

  QueueColumns fit_columns(const std::vector<QueueRow>& rows) const {
    constexpr std::size_t min_columns_for_kind = 40;
    constexpr std::size_t min_columns_for_usage = 50;
    constexpr std::size_t min_rest_for_owner = 24;
    const auto max_width = [&](std::string QueueRow::*text, std::string_view title) {
      std::size_t width = title.size();
      for (const QueueRow& row : rows) {
        width = std::max(width, display_width(row.*text));
      }
      return width;
    };
    QueueColumns columns;
    columns.kind = view_.columns >= min_columns_for_kind ? 6 : 0;
    columns.usage =
        view_.columns >= min_columns_for_usage ? max_width(&QueueRow::usage, "length/limit") : 0;
    columns.bar = wanted_bar(view_.columns);
    columns.sparkline = wanted_sparkline(view_.columns);
    std::size_t used = 0;
    for (const std::size_t width :
         {columns.kind, columns.usage, columns.bar, columns.percent, columns.sparkline}) {
      used += width > 0 ? width + 1 : 0;
    }
    const std::size_t rest = view_.columns - std::min(view_.columns, used);
    const std::size_t name = max_width(&QueueRow::name, "queue");
    const std::size_t owner = max_width(&QueueRow::owner, "owner");
    const bool has_owner =
        std::ranges::any_of(rows, [](const QueueRow& row) { return !row.owner.empty(); });
    if (rest < min_rest_for_owner || !has_owner) {
      columns.name = std::min(name, rest);
      return columns;
    }
    columns.name = std::min(name, rest - 1 - std::min(owner, rest / 3));
    columns.owner = std::min(owner, rest - 1 - columns.name);
    return columns;
  }

  static void append(std::string& line, const std::string& cell, std::size_t width) {
    if (width > 0) {
      line += (line.empty() ? "" : " ") + left(cell, width);
    }
  }

  std::string heading(const QueueColumns& columns) const {
    std::string line;
    append(line, "", columns.kind);
    append(line, "queue", columns.name);
    append(line, "owner", columns.owner);
    append(line, right("length/limit", columns.usage), columns.usage);
    append(line, "", columns.bar);
    append(line, " fill", columns.percent);
    append(line, "last " + format_duration(history_.slot_seconds() * FillHistory::slots),
           columns.sparkline);
    return without_trailing_blanks(line);
  }

  std::string queue_line(const QueueRow& row, const QueueColumns& columns) const {
    const QueueFill& queue = *row.queue;
    std::string line;
    append(line, std::string(kind_name(queue.key.kind)), columns.kind);
    append(line, truncate_middle(row.name, columns.name, mark()), columns.name);
    append(line, truncate(row.owner, columns.owner, mark()), columns.owner);
    append(line, right(row.usage, columns.usage), columns.usage);
    append(line, bar(queue.ratio, columns.bar - std::min<std::size_t>(columns.bar, 2)),
           columns.bar);
    append(line, right(format_percent(queue.ratio), columns.percent), columns.percent);
    append(line, sparkline(history_.of(queue.key), columns.sparkline, view_.is_utf8),
           columns.sparkline);
    line = fit(without_trailing_blanks(line));
    if (queue.ratio >= full_ratio) {
      return painter_.severity(Severity::critical, line);
    }
    return queue.ratio >= nearly_full_ratio ? painter_.severity(Severity::warning, line) : line;
  }

  const WatchView& view_;
  const FillHistory& history_;
  Painter painter_;
  Lines lines_;
};

/// Returns the queues with entries now or in the history, and all accept queues, fullest first.
std::vector<QueueRow> sorted_rows(const std::vector<QueueFill>& queues,
                                  const FillHistory& history) {
  std::vector<QueueRow> rows;
  for (const QueueFill& queue : queues) {
    const double peak = history.peak(queue.key);
    if (queue.key.kind == QueueKind::accept || queue.ratio > 0 || peak > 0) {
      rows.push_back({.queue = &queue, .peak = peak});
    }
  }
  std::ranges::sort(rows, [](const QueueRow& a, const QueueRow& b) {
    return std::tie(b.queue->ratio, b.peak, a.queue->key) <
           std::tie(a.queue->ratio, a.peak, b.queue->key);
  });
  return rows;
}

}  // namespace

std::string sparkline(const std::vector<double>& ratios, std::size_t width, bool is_utf8) {
  constexpr std::array<const char*, 8> blocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::array<const char*, 8> ascii = {"_", ".", ":", "-", "=", "+", "*", "#"};
  if (width == 0) {
    return {};
  }
  const std::size_t group = std::max<std::size_t>(1, FillHistory::slots / width);
  std::string text;
  std::size_t characters = 0;
  for (std::size_t end = ratios.size(); end > 0 && characters < width; ++characters) {
    const std::size_t begin = end - std::min(end, group);
    const double ratio = *std::max_element(ratios.begin() + static_cast<std::ptrdiff_t>(begin),
                                           ratios.begin() + static_cast<std::ptrdiff_t>(end));
    constexpr double inner_levels = 6;
    const auto level = ratio <= 0   ? 0
                       : ratio >= 1 ? blocks.size() - 1
                                    : 1 + static_cast<std::size_t>(ratio * inner_levels);
    text.insert(0, (is_utf8 ? blocks : ascii).at(level));
    end = begin;
  }
  return std::string(width - characters, ' ') + text;
}

Lines watch_frame(const Status& status, const std::vector<QueueFill>& queues,
                  const FillHistory& history, const WatchView& view) {
  if (view.rows == 0 || view.columns == 0) {
    return {};
  }
  std::vector<QueueRow> rows = sorted_rows(queues, history);
  FrameBuilder frame(view, history);
  frame.add_header(status);
  frame.add_findings(status.findings, rows.size());
  frame.add_queues(std::move(rows));
  return std::move(frame).lines();
}

}  // namespace inetdiag::diagnosis
