// Output of `inetdiag_exporter sockets` for arbitrary payloads.
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

std::string output(std::string_view input, const SocketsOptions& options) {
  const kernel::UniqueFd file(::memfd_create("sockets", MFD_CLOEXEC));
  list_sockets(replaying(input), options, file.get());
  std::string text(static_cast<std::size_t>(::lseek(file.get(), 0, SEEK_END)), '\0');
  require(::pread(file.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
          "the output can be read back");
  return text;
}

}  // namespace

void run(std::string_view input) {
  const std::string table = output(input, {});
  require(std::ranges::all_of(table, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }),
          "the table is printable ASCII");
  const std::string objects = output(input, {.format = SocketsFormat::json});
  const auto summary = nlohmann::json::parse(output(input, {.summary = true}), nullptr, false);
  require(!summary.is_discarded(), "the summary is JSON");
  const auto lines = std::ranges::count(objects, '\n');
  require(std::ranges::count(table, '\n') == lines + 1 && summary["sockets"] == lines,
          "all formats have the same number of sockets");
  for (std::string_view rest = objects; !rest.empty();) {
    require(nlohmann::json::accept(kernel::next_line(rest)), "every line is JSON");
  }
}

std::vector<std::string> seeds() { return socket_seeds(); }

}  // namespace inetdiag::fuzz
