#include "collectors/kernel/netlink/netlink.h"

#include <cerrno>
#include <system_error>

#include <gtest/gtest.h>

#include "tests/unit/support/diag_messages.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::Deadline;

/// Returns the number of payloads in a replayed dump.
int payloads(std::deque<Bytes> datagrams) {
  int count = 0;
  kernel::dump([&](int /*protocol*/) { return std::make_unique<ReplayNetlink>(datagrams); },
               TCPDIAG_GETSOCK, {}, Deadline::in(std::chrono::seconds(10)), [&](auto) { ++count; });
  return count;
}

/// Returns the errno of a replayed dump, 0 if it succeeds.
int failure(std::deque<Bytes> datagrams) {
  try {
    payloads(std::move(datagrams));
    return 0;
  } catch (const std::system_error& error) {
    return error.code().value();
  }
}

Bytes with_length(Bytes message, std::uint32_t length) {
  std::memcpy(message.data(), &length, sizeof length);
  return message;
}

const Bytes one = data_message(FakeSocket{}.payload());

TEST(Dump, ReadsDatagramsUntilDone) {
  EXPECT_EQ(payloads({one + one, one, done_message()}), 3);
  EXPECT_EQ(payloads({one + done_message()}), 1);
  EXPECT_EQ(payloads({done_message()}), 0);
}

TEST(Dump, IgnoresNoopAndUnknownControlMessages) {
  const std::uint16_t unknown_control = 9;
  EXPECT_EQ(payloads({message(NLMSG_NOOP, {}) + one + message(unknown_control, {}) + one,
                      done_message()}),
            2);
}

TEST(Dump, FailsWithTheErrnoOfTheKernel) {
  EXPECT_EQ(failure({error_message(-ENOENT)}), ENOENT);
  EXPECT_EQ(failure({one, error_message(-ENOMEM)}), ENOMEM);
}

TEST(Dump, FailsIfDoneCarriesAnError) {
  EXPECT_EQ(failure({one + done_message(-EOPNOTSUPP)}), EOPNOTSUPP);
  EXPECT_EQ(failure({done_message(std::numeric_limits<int>::min())}), EBADMSG);
}

TEST(Dump, AcceptsDoneWithoutPayload) { EXPECT_EQ(failure({one + message(NLMSG_DONE, {})}), 0); }

TEST(Dump, RejectsAnAcknowledgement) { EXPECT_EQ(failure({error_message(0)}), EBADMSG); }

TEST(Dump, FailsOnOverrun) { EXPECT_EQ(failure({message(NLMSG_OVERRUN, {})}), ENOBUFS); }

TEST(Dump, FailsIfTheDumpWasInterrupted) {
  EXPECT_EQ(failure({message(TCPDIAG_GETSOCK, {}, 1, NLM_F_MULTI | NLM_F_DUMP_INTR)}), EINTR);
}

TEST(Dump, SkipsMessagesOfOtherRequests) {
  const auto of_other_requests = [](std::uint16_t type, const Bytes& payload) {
    const std::uint16_t flags = NLM_F_MULTI | NLM_F_DUMP_INTR;
    return message(type, payload, replay_sequence + 1, flags) + message(type, payload, 0, flags) +
           message(type, payload, replay_sequence, flags, replay_port_id + 1) +
           message(type, payload, replay_sequence, flags, 0);
  };
  EXPECT_EQ(payloads({of_other_requests(TCPDIAG_GETSOCK, FakeSocket{}.payload()) + one,
                      of_other_requests(NLMSG_DONE, bytes_of(0)),
                      of_other_requests(NLMSG_ERROR, bytes_of(nlmsgerr{})), one, done_message()}),
            2);
}

class InvalidLength : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(InvalidLength, IsRejected) {
  EXPECT_EQ(failure({with_length(one, GetParam()), done_message()}), EBADMSG);
  EXPECT_EQ(failure({one + with_length(one, GetParam()), done_message()}), EBADMSG);
}

INSTANTIATE_TEST_SUITE_P(Lengths, InvalidLength,
                         ::testing::Values(0U, 3U, 15U, 0x7fffffffU, 0x80000000U, 0xfffffff0U,
                                           0xffffffffU,
                                           static_cast<std::uint32_t>(one.size() + 4)));

TEST(Dump, RejectsTruncatedHeaders) {
  for (std::size_t length = 1; length < sizeof(nlmsghdr); ++length) {
    const Bytes piece(one.begin(), one.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(failure({piece, done_message()}), EBADMSG) << length;
    EXPECT_EQ(failure({one + piece, done_message()}), EBADMSG) << length;
  }
}

TEST(Dump, RejectsTruncatedErrors) {
  EXPECT_EQ(failure({message(NLMSG_ERROR, bytes_of(-ENOENT))}), EBADMSG);
  EXPECT_EQ(failure({message(NLMSG_ERROR, {})}), EBADMSG);
}

TEST(Dump, PropagatesExceptionsOfTheCallback) {
  const auto open = [](int /*protocol*/) {
    return std::make_unique<ReplayNetlink>(std::deque{one, done_message()});
  };
  EXPECT_THROW(kernel::dump(open, TCPDIAG_GETSOCK, {}, Deadline::in(std::chrono::seconds(10)),
                            [](auto) { throw std::length_error("enough"); }),
               std::length_error);
}

TEST(Dump, StopsAtTheDeadlineOrOnAStopRequest) {
  const auto open = [](int /*protocol*/) {
    return std::make_unique<ReplayNetlink>(std::deque{one, done_message()});
  };
  const auto run = [&](const Deadline& deadline) {
    kernel::dump(open, TCPDIAG_GETSOCK, {}, deadline, [](auto) {});
  };
  EXPECT_THROW(run(Deadline::in(std::chrono::seconds(0))), kernel::DeadlineExceeded);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(run({Deadline::Clock::time_point::max(), stop.get_token()}),
               kernel::DeadlineExceeded);
}

TEST(SockDiag, RejectsDatagramsLargerThanTheBuffer) {
  const auto netlink = kernel::open_netlink(NETLINK_SOCK_DIAG);
  nlmsghdr request{};
  request.nlmsg_len = sizeof request;
  request.nlmsg_type = NLMSG_NOOP;
  request.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  netlink->send(bytes_of(request));
  Bytes buffer(sizeof(nlmsghdr));
  try {
    netlink->receive(buffer, Deadline::in(std::chrono::seconds(10)));
    FAIL() << "receive() accepted a truncated datagram";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EMSGSIZE);
  }
}

TEST(SockDiag, HasAnUnpredictableSequenceNumber) {
  EXPECT_NE(kernel::open_netlink(NETLINK_SOCK_DIAG)->sequence(),
            kernel::open_netlink(NETLINK_SOCK_DIAG)->sequence());
}

TEST(Dump, ReadsFromTheKernel) {
  const auto states = kernel::mask(kernel::TcpState::listen);
  EXPECT_NO_THROW(kernel::dump(kernel::open_netlink, TCPDIAG_GETSOCK,
                               kernel::tcp_dump_payload(states, kernel::Extension::memory_info),
                               Deadline::in(std::chrono::seconds(10)), [](auto payload) {
                                 EXPECT_TRUE(kernel::parse_inet_socket(payload).has_value());
                               }));
}

}  // namespace
}  // namespace inetdiag
