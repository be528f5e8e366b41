#include "exporter/commands/watch_output.h"

#include <cstddef>
#include <string>
#include <utility>

#include "exporter/commands/atomic_file.h"
#include "exporter/commands/terminal_screen.h"
#include "exporter/diagnosis/status_changes.h"
#include "exporter/diagnosis/status_json.h"
#include "exporter/diagnosis/watch_frame.h"

namespace inetdiag {
namespace {

class ScreenOutput final : public WatchOutput {
 public:
  ScreenOutput(WatchStreams streams, double interval_seconds, bool use_color, bool is_utf8)
      : screen_(streams.input, streams.output),
        history_(interval_seconds, max_queues),
        view_{.use_color = use_color, .is_utf8 = is_utf8, .interval_seconds = interval_seconds} {
    resume();
  }

  void show_first(const diagnosis::Status& status, const diagnosis::Snapshot& snapshot) override {
    diagnosis::Status without_findings = status;
    without_findings.findings.clear();
    show(std::move(without_findings), snapshot);
  }

  void show(diagnosis::Status status, const diagnosis::Snapshot& snapshot) override {
    queues_ = queue_fills(status, snapshot);
    status_ = std::move(status);
    history_.add(queues_);
    redraw();
  }

  void redraw() override {
    const TerminalSize size = screen_.size();
    view_.columns = size.columns;
    view_.rows = size.rows;
    if (status_) {
      screen_.draw(watch_frame(*status_, queues_, history_, view_));
    } else {
      screen_.draw({"Taking a snapshot"});
    }
  }

  void suspend() override { screen_.restore(); }

  void resume() override {
    screen_.enter();
    redraw();
  }

  bool has_keys() const override { return screen_.has_keys(); }

 private:
  static constexpr std::size_t max_queues = 1000;

  TerminalScreen screen_;
  diagnosis::FillHistory history_;
  diagnosis::WatchView view_;
  std::optional<diagnosis::Status> status_;
  std::vector<diagnosis::QueueFill> queues_;
};

class ChangesOutput : public WatchOutput {
 public:
  explicit ChangesOutput(int output) : output_(output) {}

  void show(diagnosis::Status status, const diagnosis::Snapshot& /*snapshot*/) override {
    write_all(output_, status_changes(status_ ? &*status_ : nullptr, status));
    status_ = std::move(status);
  }

 private:
  int output_;
  std::optional<diagnosis::Status> status_;
};

class JsonOutput : public WatchOutput {
 public:
  explicit JsonOutput(int output) : output_(output) {}

  void show(diagnosis::Status status, const diagnosis::Snapshot& /*snapshot*/) override {
    write_all(output_, status_json(status, JsonWriter::Layout::compact));
  }

 private:
  int output_;
};

}  // namespace

std::unique_ptr<WatchOutput> make_screen_output(WatchStreams streams, double interval_seconds,
                                                bool use_color, bool is_utf8) {
  return std::make_unique<ScreenOutput>(streams, interval_seconds, use_color, is_utf8);
}

std::unique_ptr<WatchOutput> make_changes_output(int output) {
  return std::make_unique<ChangesOutput>(output);
}

std::unique_ptr<WatchOutput> make_json_output(int output) {
  return std::make_unique<JsonOutput>(output);
}

}  // namespace inetdiag
