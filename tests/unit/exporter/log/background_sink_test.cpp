#include "exporter/log/background_sink.h"

#include <algorithm>
#include <array>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/log/log.h"

namespace inetdiag {
namespace {

using kernel::UniqueFd;
using ::testing::HasSubstr;
using ::testing::Not;

struct Pipe {
  static constexpr std::size_t more_than_capacity = 200'000;

  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    reader = UniqueFd(ends[0]);
    writer = UniqueFd(ends[1]);
    ::fcntl(writer.get(), F_SETPIPE_SZ, 4096);
  }
  void wait_until_full() const {
    pollfd writable{writer.get(), POLLOUT, 0};
    while (::poll(&writable, 1, 0) != 0) {
      std::this_thread::yield();
    }
  }

  /// Reads until the text contains `last` or all writers have closed.
  std::string read_until(const std::string& last) const {
    std::string text;
    std::array<char, 4096> buffer{};
    while (text.find(last) == std::string::npos) {
      const ssize_t length = ::read(reader.get(), buffer.data(), buffer.size());
      if (length <= 0) {
        break;
      }
      text.append(buffer.data(), static_cast<std::size_t>(length));
    }
    return text;
  }

  UniqueFd reader;
  UniqueFd writer;
};

Log log_to(const UniqueFd& fd) {
  const auto sink = std::make_shared<BackgroundSink>(
      fd.get(), [](std::size_t lines) { return lost_lines_message(LogFormat::logfmt, lines); });
  sink->start();
  return {spdlog::level::info, LogFormat::logfmt, sink};
}

TEST(BackgroundSink, FlushesOnDestruction) {
  Pipe pipe;
  {
    const Log log = log_to(pipe.writer);
    log.info("one");
    log.info("two");
  }
  pipe.writer = UniqueFd();
  EXPECT_THAT(pipe.read_until("never"), HasSubstr("msg=two\n"));
}

TEST(BackgroundSink, NeverBlocksAndReportsLostLines) {
  const Pipe pipe;
  const Log log = log_to(pipe.writer);
  log.info(std::string(Pipe::more_than_capacity, 'x'));
  pipe.wait_until_full();
  // A blocking sink would hang here.
  constexpr std::size_t lost = 500;
  for (std::size_t i = 0; i < BackgroundSink::max_lines + lost; ++i) {
    log.info("a line");
  }
  std::string text = pipe.read_until("log lines were lost");
  log.info("the last one");
  text += pipe.read_until("the last one\"\n");
  EXPECT_THAT(text, HasSubstr("level=warn msg=\"log lines were lost\" lines=500\n"));
  const std::size_t first_and_last = 2;
  const std::size_t report = 1;
  EXPECT_EQ(std::ranges::count(text, '\n'), BackgroundSink::max_lines + first_and_last + report);
}

TEST(BackgroundSink, WritesQueuedLinesAfterStart) {
  const Pipe pipe;
  const auto sink =
      std::make_shared<BackgroundSink>(pipe.writer.get(), [](std::size_t /*lines*/) { return ""; });
  const Log log(spdlog::level::info, LogFormat::logfmt, sink);
  log.info("early");
  sink->start();
  EXPECT_THAT(pipe.read_until("early"), HasSubstr("msg=early"));
}

TEST(BackgroundSink, StartsOnFlush) {
  const Pipe pipe;
  const Log log(spdlog::level::info, LogFormat::logfmt,
                std::make_shared<BackgroundSink>(pipe.writer.get(),
                                                 [](std::size_t /*lines*/) { return ""; }));
  log.info("early");
  log.flush();
  EXPECT_THAT(pipe.read_until("early"), HasSubstr("msg=early"));
}

TEST(BackgroundSink, IsDestroyedWithoutAReader) {
  Pipe pipe;
  {
    const Log log = log_to(pipe.writer);
    for (std::size_t i = 0; i < BackgroundSink::max_lines; ++i) {
      log.info("not read");
    }
  }
  // Read everything: the thread must not write to the descriptor after the test closed it.
  std::string text = pipe.read_until("not read");
  while (std::ranges::count(text, '\n') < static_cast<long>(BackgroundSink::max_lines)) {
    text += pipe.read_until("\n");
  }
  EXPECT_THAT(text, Not(HasSubstr("lost")));
}

TEST(BackgroundSink, CountsLinesThatCannotBeWritten) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full);
  // dup3() below exchanges the file behind the number that the sink writes to.
  const UniqueFd target(::fcntl(full.get(), F_DUPFD_CLOEXEC, 0));
  const Log log = log_to(target);
  log.info("one");
  log.info("two");
  log.flush();
  const Pipe pipe;
  ASSERT_EQ(::dup3(pipe.writer.get(), target.get(), O_CLOEXEC), target.get());
  log.info("three");
  const std::string text = pipe.read_until("three");
  EXPECT_THAT(text, HasSubstr("lines=2\n"));
  EXPECT_THAT(text, Not(HasSubstr("msg=one")));
}

}  // namespace
}  // namespace inetdiag
