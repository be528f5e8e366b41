#include "exporter/commands/terminal_screen.h"

#include <array>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"

namespace inetdiag {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class TerminalScreenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int controller = -1;
    int terminal = -1;
    const winsize size{.ws_row = 3, .ws_col = 20, .ws_xpixel = 0, .ws_ypixel = 0};
    if (::openpty(&controller, &terminal, nullptr, nullptr, &size) != 0) {
      GTEST_SKIP() << "cannot open a pseudo-terminal";
    }
    controller_ = kernel::UniqueFd(controller);
    terminal_ = kernel::UniqueFd(terminal);
  }

  int terminal() const { return terminal_.get(); }

  tcflag_t local_flags() const {
    termios attributes{};
    EXPECT_EQ(::tcgetattr(terminal(), &attributes), 0);
    return attributes.c_lflag;
  }

  std::string shown() const {
    std::string text;
    std::array<char, 1024> buffer{};
    pollfd readable{controller_.get(), POLLIN, 0};
    while (::poll(&readable, 1, 0) == 1) {
      const ssize_t bytes = ::read(controller_.get(), buffer.data(), buffer.size());
      if (bytes <= 0) {
        break;
      }
      text.append(buffer.data(), static_cast<std::size_t>(bytes));
    }
    return text;
  }

 private:
  kernel::UniqueFd controller_;
  kernel::UniqueFd terminal_;
};

TEST_F(TerminalScreenTest, RestoresTheTerminal) {
  const tcflag_t before = local_flags();
  {
    TerminalScreen screen(terminal(), terminal());
    EXPECT_TRUE(screen.has_keys());
    screen.enter();
    EXPECT_EQ(local_flags() & static_cast<tcflag_t>(ICANON | ECHO), 0U);
    EXPECT_NE(local_flags() & static_cast<tcflag_t>(ISIG), 0U);
    EXPECT_THAT(shown(), StartsWith("\x1b[?1049h"));
  }
  EXPECT_EQ(local_flags(), before);
  EXPECT_THAT(shown(), EndsWith("\x1b[?25h\x1b[?1049l"));
}

TEST_F(TerminalScreenTest, RestoresTheTerminalAfterAnException) {
  const tcflag_t before = local_flags();
  try {
    TerminalScreen screen(terminal(), terminal());
    screen.enter();
    throw std::runtime_error("failed");
  } catch (const std::runtime_error&) {
    EXPECT_EQ(local_flags(), before);
  }
}

TEST_F(TerminalScreenTest, CanBeSuspended) {
  const tcflag_t before = local_flags();
  TerminalScreen screen(terminal(), terminal());
  screen.enter();
  screen.restore();
  EXPECT_EQ(local_flags(), before);
  shown();
  screen.restore();
  EXPECT_THAT(shown(), IsEmpty());
  screen.enter();
  EXPECT_NE(local_flags(), before);
}

TEST_F(TerminalScreenTest, DrawsAtTheTop) {
  const TerminalScreen screen(terminal(), terminal());
  EXPECT_EQ(screen.size().columns, 20U);
  EXPECT_EQ(screen.size().rows, 3U);
  screen.draw({"one", "two"});
  EXPECT_EQ(shown(), "\x1b[1;1H\x1b[2Kone\x1b[2;1H\x1b[2Ktwo\x1b[3;1H\x1b[J");
}

TEST_F(TerminalScreenTest, HasNoKeysWithoutATerminal) {
  std::array<int, 2> pipe_fds{};
  ASSERT_EQ(::pipe(pipe_fds.data()), 0);
  const kernel::UniqueFd input(pipe_fds[0]);
  const kernel::UniqueFd output(pipe_fds[1]);
  TerminalScreen screen(input.get(), terminal());
  EXPECT_FALSE(screen.has_keys());
  screen.enter();
  EXPECT_THAT(shown(), HasSubstr("\x1b[?25l"));
}

}  // namespace
}  // namespace inetdiag
