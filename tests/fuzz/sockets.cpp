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

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
}

}  // namespace

void run(std::string_view input) {
  const std::string table = output(input, {});
  require(is_printable(table), "the table is printable ASCII");
  const std::string objects = output(input, {.format = SocketsFormat::json});
  const auto summary = nlohmann::json::parse(output(input, {.summary = true}), nullptr, false);
  require(!summary.is_discarded(), "the summary is JSON");
  const std::string top_table = output(input, {.top = TopOf::network});
  require(is_printable(top_table), "the table of networks is printable ASCII");
  require(is_printable(output(input, {.top = TopOf::destination})),
          "the table of destinations is printable ASCII");
  const auto top = nlohmann::json::parse(
      output(input, {.format = SocketsFormat::json, .top = TopOf::peer}), nullptr, false);
  require(!top.is_discarded() && top["sockets"] <= summary["sockets"],
          "no peer is counted more often than sockets");
  const auto lines = std::ranges::count(objects, '\n');
  require(std::ranges::count(table, '\n') == lines + 1 && summary["sockets"] == lines,
          "all formats have the same number of sockets");
  for (std::string_view rest = objects; !rest.empty();) {
    require(nlohmann::json::accept(kernel::next_line(rest)), "every line is JSON");
  }
}

std::vector<std::string> seeds() { return socket_seeds(); }

}  // namespace inetdiag::fuzz
