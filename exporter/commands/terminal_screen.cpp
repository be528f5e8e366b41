#include "exporter/commands/terminal_screen.h"

#include <cerrno>
#include <exception>
#include <system_error>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "exporter/commands/atomic_file.h"

namespace inetdiag {
namespace {

// Alternate screen, cursor, automatic line breaks: see ctlseqs of xterm. Without the line breaks, a
// character that is wider than expected cannot move the following lines.
constexpr const char* enter_sequence = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr const char* restore_sequence = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

bool set_attributes(int fd, const termios& attributes) noexcept {
  int result = 0;
  do {
    result = ::tcsetattr(fd, TCSADRAIN, &attributes);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

}  // namespace

TerminalScreen::TerminalScreen(int input, int output)
    : input_(input), output_(output), has_keys_(::tcgetattr(input, &original_) == 0) {}

TerminalScreen::~TerminalScreen() { restore(); }

void TerminalScreen::enter() {
  if (has_keys_) {
    termios attributes = original_;
    attributes.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    attributes.c_iflag &= ~static_cast<tcflag_t>(IXON);
    attributes.c_cc[VMIN] = 1;
    attributes.c_cc[VTIME] = 0;
    if (!set_attributes(input_, attributes)) {
      throw std::system_error(errno, std::generic_category(), "cannot set the terminal's mode");
    }
  }
  is_entered_ = true;
  write_all(output_, enter_sequence);
}

void TerminalScreen::restore() noexcept {
  if (!is_entered_) {
    return;
  }
  is_entered_ = false;
  try {
    write_all(output_, restore_sequence);
  } catch (const std::exception&) {  // the terminal is gone
  }
  if (has_keys_) {
    set_attributes(input_, original_);
  }
}

void TerminalScreen::draw(const std::vector<std::string>& lines) const {
  const std::size_t rows = size().rows;
  std::string text;
  // Erases before it writes: after the last column, erasing would hit the last character.
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += fmt::format("\x1b[{};1H\x1b[2K{}", i + 1, lines[i]);
  }
  if (lines.size() < rows) {
    text += fmt::format("\x1b[{};1H\x1b[J", lines.size() + 1);
  }
  write_all(output_, text);
}

TerminalSize TerminalScreen::size() const {
  winsize size{};
  if (::ioctl(output_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {.columns = size.ws_col, .rows = size.ws_row};
}

}  // namespace inetdiag
