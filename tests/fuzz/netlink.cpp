// The datagrams of a dump: headers, control messages, and the parsers of what they hold.
#include "collectors/kernel/netlink/netlink.h"

#include <deque>
#include <system_error>

#include "collectors/kernel/netlink/inet_diag.h"
#include "collectors/kernel/netlink/unix_diag.h"
#include "tests/fuzz/target.h"
#include "tests/unit/support/diag_messages.h"

namespace inetdiag::fuzz {

using namespace testing;

void run(std::string_view input) {
  constexpr std::size_t most_bytes = 32768;  // what the kernel fills at most
  std::deque<Bytes> datagrams;
  std::size_t acknowledge = 0;
  while (!input.empty()) {
    const auto bytes = std::as_bytes(std::span(take_chunk(input).substr(0, most_bytes)));
    datagrams.emplace_back(bytes.begin(), bytes.end());
    acknowledge += bytes.size();
  }
  std::size_t handed_on = 0;
  try {
    kernel::dump([&] { return std::make_unique<ReplayNetlink>(datagrams); }, TCPDIAG_GETSOCK, {},
                 kernel::Deadline::in(std::chrono::hours(1)),
                 [&](std::span<const std::byte> payload) {
                   handed_on += sizeof(nlmsghdr) + payload.size();
                   if (const auto socket = kernel::parse_inet_socket(payload)) {
                     require(!socket->local.text().empty(), "an address can be written");
                     require(kernel::slot(socket->state) < kernel::tcp_state_slots,
                             "a state fits into a table");
                   }
                   (void)kernel::parse_inet_attributes(payload);
                   if (const auto socket = kernel::parse_unix_socket(payload)) {
                     require(socket->name.size() <= payload.size(), "a name is the kernel's own");
                   }
                 });
  } catch (const std::system_error& error) {
    require(error.code().value() > 0, "a failure has its errno");
  } catch (const kernel::DeadlineExceeded&) {
    // No end of the dump was among the datagrams.
  }
  require(handed_on <= acknowledge, "no payload is longer than what was told");
}

std::vector<std::string> seeds() {
  const Bytes listener = data_message(FakeSocket{.drops = 7, .cgroup = 5}.payload());
  const Bytes dual = data_message(FakeSocket{.address = "::", .drops = 1}.payload());
  const Bytes local = message(SOCK_DIAG_BY_FAMILY, FakeUnixSocket{.name = "/run/a"}.payload());
  return {chunk(listener + dual) + chunk(done_message()),
          chunk(local) + chunk(done_message(-ENOENT)),
          chunk(listener) + chunk(error_message(-ENOMEM)), chunk(message(NLMSG_OVERRUN, {})),
          chunk(message(NLMSG_NOOP, {}) + listener + done_message())};
}

}  // namespace inetdiag::fuzz
