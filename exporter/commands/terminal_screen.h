#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <termios.h>

namespace inetdiag {

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

/// Takes over a terminal: alternate screen, hidden cursor, keys without Enter or echo. Ctrl-C and
/// Ctrl-Z still send their signals.
class TerminalScreen {
 public:
  /// `input` provides no keys if it is not a terminal.
  TerminalScreen(int input, int output);
  TerminalScreen(const TerminalScreen&) = delete;
  TerminalScreen& operator=(const TerminalScreen&) = delete;
  /// Restores the terminal.
  ~TerminalScreen();

  /// Also repairs the terminal after another program used it. Throws std::system_error.
  void enter();
  void restore() noexcept;

  /// Replaces the contents of the screen. Throws BrokenPipe, std::system_error.
  void draw(const std::vector<std::string>& lines) const;

  TerminalSize size() const;
  bool has_keys() const { return has_keys_; }

 private:
  int input_;
  int output_;
  termios original_{};
  bool has_keys_;
  bool is_entered_ = false;
};

}  // namespace inetdiag
