// What `inetdiag_exporter sockets` writes of answers with any content.
#include "exporter/commands/sockets.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/base/unique_fd.h"
#include "tests/fuzz/sockets.h"

namespace inetdiag::fuzz {
namespace {

std::string written(std::string_view input, const SocketsOptions& options) {
  const kernel::UniqueFd file(::memfd_create("sockets", MFD_CLOEXEC));
  list_sockets(answering(input), options, file.get());
  std::string text(static_cast<std::size_t>(::lseek(file.get(), 0, SEEK_END)), '\0');
  require(::pread(file.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
          "what was written can be read");
  return text;
}

}  // namespace

void run(std::string_view input) {
  const std::string table = written(input, {});
  require(std::ranges::all_of(table, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }),
          "nothing reaches the terminal but text");
  const std::string objects = written(input, {.format = SocketsFormat::json});
  const auto sum = nlohmann::json::parse(written(input, {.summary = true}), nullptr, false);
  require(!sum.is_discarded(), "the summary is JSON");
  const auto lines = std::ranges::count(objects, '\n');
  require(std::ranges::count(table, '\n') == lines + 1 && sum["sockets"] == lines,
          "each way of writing has the same sockets");
  for (std::string_view rest = objects; !rest.empty();) {
    require(nlohmann::json::accept(kernel::next_line(rest)), "a line is JSON");
  }
}

std::vector<std::string> seeds() { return socket_seeds(); }

}  // namespace inetdiag::fuzz
