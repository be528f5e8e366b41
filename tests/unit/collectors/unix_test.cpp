#include "collectors/unix.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include "collectors/kernel/netlink/unix_diag.h"
#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::parse_unix_socket;
using kernel::TcpState;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using namespace std::string_literals;

TEST(ParseUnixSocket, ParsesNameStateAndQueue) {
  const auto socket = parse_unix_socket(FakeUnixSocket{.name = "/run/a.sock\0"s,
                                                       .receive_queue = 4,
                                                       .send_queue = 3,
                                                       .uid = 1000,
                                                       .inode = 7,
                                                       .peer_inode = 8}
                                            .payload());
  ASSERT_TRUE(socket);
  EXPECT_EQ(socket->name, "/run/a.sock");
  EXPECT_EQ(socket->receive_queue, 4U);
  EXPECT_EQ(socket->send_queue, 3U);
  EXPECT_EQ(socket->state, TcpState::listen);
  EXPECT_EQ(socket->uid, 1000U);
  EXPECT_EQ(socket->inode, 7U);
  EXPECT_EQ(socket->peer_inode, 8U);
}

TEST(ParseUnixSocket, PrefixesAnAbstractNameWithAt) {
  EXPECT_EQ(parse_unix_socket(FakeUnixSocket{.name = "\0x\0y"s}.payload())->name, "@x@y");
}

TEST(ParseUnixSocket, RejectsTruncatedMessagesAndUnknownStates) {
  const Bytes payload = FakeUnixSocket{}.payload();
  for (std::size_t length = 0; length < sizeof(unix_diag_msg); ++length) {
    EXPECT_FALSE(parse_unix_socket(std::span(payload).first(length))) << length;
  }
  unix_diag_msg message{};
  for (const int state : {0, 12, 255}) {
    message.udiag_state = static_cast<std::uint8_t>(state);
    EXPECT_FALSE(parse_unix_socket(bytes_of(message))) << state;
  }
}

TEST(ParseUnixSocket, IgnoresAttributesOfInvalidLength) {
  for (const int claimed : {0, 1, 3, 1000, 0xffff}) {
    unix_diag_msg message{};
    message.udiag_state = static_cast<std::uint8_t>(TcpState::listen);
    Bytes bytes = bytes_of(message);
    append_attribute(bytes, UNIX_DIAG_NAME, Bytes(8, std::byte{'x'}), claimed);
    EXPECT_EQ(parse_unix_socket(bytes)->name, "") << claimed;
  }
  unix_diag_msg message{};
  message.udiag_state = static_cast<std::uint8_t>(TcpState::listen);
  Bytes bytes = bytes_of(message);
  append_attribute(bytes, UNIX_DIAG_RQLEN, Bytes(4, std::byte{1}));
  append_attribute(bytes, UNIX_DIAG_UID, Bytes(3, std::byte{1}));
  append_attribute(bytes, UNIX_DIAG_PEER, Bytes(3, std::byte{1}));
  EXPECT_EQ(parse_unix_socket(bytes)->receive_queue, 0U);
  EXPECT_EQ(parse_unix_socket(bytes)->uid, std::nullopt);
  EXPECT_EQ(parse_unix_socket(bytes)->peer_inode, std::nullopt);
}

std::vector<std::string> lines(std::vector<FakeUnixSocket> sockets,
                               const std::string& max = "200") {
  CollectorFixture fixture;
  fixture.kernel.unix_sockets = std::move(sockets);
  return fixture.lines(*make_unix(settings({{"max", max}})));
}

TEST(Unix, ExportsListenersByPath) {
  const auto found = lines({{.name = "/run/a.sock\0"s, .receive_queue = 4, .send_queue = 3},
                            {.name = "\0bus"s, .receive_queue = 1, .send_queue = 9}});
  EXPECT_THAT(found,
              Contains(R"(inetdiag_unix_listener_accept_queue_length{path="/run/a.sock"} 4)"));
  EXPECT_THAT(found,
              Contains(R"(inetdiag_unix_listener_accept_queue_limit{path="/run/a.sock"} 3)"));
  EXPECT_THAT(found,
              Contains(R"(inetdiag_unix_listener_accept_queue_fill_ratio{path="/run/a.sock"} 1)"));
  EXPECT_THAT(found, Contains(HasSubstr(R"(fill_ratio{path="@bus"} 0.1)")));
}

TEST(Unix, HasNoSeriesOfNamesThatTheKernelChose) {
  const auto found = lines({{.name = "\0"
                                     "000a1"s},
                            {.name = "\0"
                                     "000a"s},
                            {.name = "\0"
                                     "000g1"s}});
  EXPECT_THAT(found, Not(Contains(HasSubstr(R"(path="@000a1")"))));
  EXPECT_THAT(found, Contains(HasSubstr(R"(fill_ratio{path="@000a")")));
  EXPECT_THAT(found, Contains(HasSubstr(R"(fill_ratio{path="@000g1")")));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_sockets{type="stream",state="listen"} 3)"));
}

TEST(Unix, ExportsTheOwnerOfAListener) {
  const auto found = lines({{.name = "/a", .uid = 1000}, {.name = "/b", .uid = std::nullopt}});
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_listener_info{path="/a",uid="1000"} 1)"));
  EXPECT_THAT(found, Not(Contains(HasSubstr(R"(info{path="/b")"))));
}

TEST(Unix, ExportsTheTenLowestOwnersOfAPathAsOneSeries) {
  const auto info_of = [](std::uint32_t count) {
    std::vector<FakeUnixSocket> sockets;
    for (std::uint32_t uid = count; uid > 0; --uid) {
      sockets.push_back({.name = "/a", .uid = uid});
      sockets.push_back({.name = "/a", .uid = uid});
    }
    return lines(sockets);
  };
  EXPECT_THAT(info_of(10), Contains("inetdiag_unix_listener_info{path=\"/a\","
                                    "uid=\"1,2,3,4,5,6,7,8,9,10\"} 1"));
  EXPECT_THAT(info_of(100), Contains("inetdiag_unix_listener_info{path=\"/a\","
                                     "uid=\"1,2,3,4,5,6,7,8,9,10,...\"} 1"));
}

TEST(Unix, ReportsThatTheKernelDoesNotSendOwners) {
  CollectorFixture fixture;
  const auto collector = make_unix(settings({{"max", "200"}}));
  fixture.kernel.unix_sockets = {{.name = "/a"}};
  EXPECT_THAT(fixture.collect(*collector).missing, IsEmpty());
  fixture.kernel.unix_sockets = {{.name = "/a", .uid = std::nullopt}};
  EXPECT_THAT(fixture.collect(*collector).missing, ElementsAre(HasSubstr("Linux 5.3")));
}

TEST(Unix, CountsSocketsByTypeAndState) {
  const auto found = lines({{.name = "/a"},
                            {.state = TcpState::established},
                            {.state = TcpState::established},
                            {.state = TcpState::close, .type = SOCK_DGRAM},
                            {.name = "/b", .type = SOCK_SEQPACKET}});
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_sockets{type="stream",state="established"} 2)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_sockets{type="stream",state="listen"} 1)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_sockets{type="dgram",state="close"} 1)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_sockets{type="seqpacket",state="listen"} 1)"));
}

TEST(Unix, EscapesAnyPath) {
  CollectorFixture fixture;
  fixture.kernel.unix_sockets = {{.name = "/a\"b\\c\nd\xFF"s}};
  const auto families = fixture.collect(*make_unix(settings({{"max", "200"}}))).families;
  EXPECT_THAT(prometheus::TextSerializer().Serialize(families),
              HasSubstr("accept_queue_length{path=\"/a\\\"b\\\\c\\nd\xEF\xBF\xBD\"} 0\n"));
}

TEST(Unix, SumsSocketsOfTheSamePath) {
  const auto found = lines({{.name = "/a", .receive_queue = 1, .send_queue = 9},
                            {.name = "/a", .receive_queue = 5, .send_queue = 9}});
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_listener_accept_queue_length{path="/a"} 6)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_listener_accept_queue_fill_ratio{path="/a"} 0.5)"));
}

TEST(Unix, ExportsTheFullestOfSeveralSockets) {
  const auto found = lines({{.name = "/a", .receive_queue = 8, .send_queue = 99},
                            {.name = "/a", .receive_queue = 4, .send_queue = 4},
                            {.name = "/a", .receive_queue = 0, .send_queue = 4095},
                            {.name = "/b", .receive_queue = 1, .send_queue = 1}});
  EXPECT_THAT(found,
              Contains(R"(inetdiag_unix_listener_fullest_accept_queue_length{path="/a"} 4)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_listener_fullest_accept_queue_limit{path="/a"} 4)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_listener_accept_queue_fill_ratio{path="/a"} 0.8)"));
  EXPECT_THAT(found, Not(Contains(AllOf(HasSubstr("fullest"), HasSubstr("/b")))));
}

TEST(Unix, ExportsTheFullestSocketOfTheAggregate) {
  const auto found = lines({{.name = "/a", .receive_queue = 2, .send_queue = 9}}, "0");
  EXPECT_THAT(found,
              Contains(R"(inetdiag_unix_listener_fullest_accept_queue_length{path="other"} 2)"));
  EXPECT_THAT(found,
              Contains(R"(inetdiag_unix_listener_fullest_accept_queue_limit{path="other"} 9)"));
}

TEST(Unix, AggregatesBeyondTheMaximumAndFullQueuesLast) {
  const auto found = lines({{.name = "/a", .receive_queue = 0, .send_queue = 9},
                            {.name = "/b", .receive_queue = 2, .send_queue = 9},
                            {.name = "/full", .receive_queue = 10, .send_queue = 9}},
                           "1");
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_listener_accept_queue_fill_ratio{path="/full"} 1)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_listener_accept_queue_length{path="other"} 2)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_listener_accept_queue_limit{path="other"} 18)"));
  EXPECT_THAT(found,
              Contains(R"(inetdiag_unix_listener_accept_queue_fill_ratio{path="other"} 0.2)"));
}

FakeUnixSocket receiver(const std::string& name, std::uint32_t inode, std::uint32_t first_bytes,
                        TcpState state = TcpState::close) {
  return {.name = name,
          .state = state,
          .type = SOCK_DGRAM,
          .receive_queue = first_bytes,
          .inode = inode};
}

FakeUnixSocket sender(std::uint32_t inode, std::uint32_t peer_inode, std::uint32_t bytes) {
  return {.state = TcpState::established,
          .type = SOCK_DGRAM,
          .send_queue = bytes,
          .inode = inode,
          .peer_inode = peer_inode};
}

TEST(Unix, ExportsDatagramsThatAreNotRead) {
  const auto found =
      lines({receiver("/dev/log", 1, 40, TcpState::established), receiver("/notify", 2, 7),
             receiver("/idle", 3, 0), receiver("/empty", 4, 0, TcpState::established),
             sender(10, 1, 768), sender(11, 1, 1536), sender(12, 4, 768), sender(13, 3, 0)});
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_datagram_unread{path="/dev/log"} 1)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_datagram_pending_bytes{path="/dev/log"} 2304)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_datagram_unread{path="/notify"} 1)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_datagram_pending_bytes{path="/notify"} 0)"));
  // The first datagram has no bytes.
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_datagram_unread{path="/empty"} 0)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_datagram_pending_bytes{path="/empty"} 768)"));
  EXPECT_THAT(found, Not(Contains(HasSubstr("/idle"))));
}

TEST(Unix, JoinsASenderWithAReceiverInAnotherState) {
  const auto found = lines({receiver("/a", 1, 0), sender(10, 1, 768)});
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_datagram_pending_bytes{path="/a"} 768)"));
}

TEST(Unix, IgnoresStreamsAndSocketsWithoutAName) {
  FakeUnixSocket stream = receiver("/stream", 1, 5, TcpState::established);
  stream.type = SOCK_STREAM;
  EXPECT_THAT(lines({stream, receiver("", 2, 9), sender(10, 2, 768), sender(11, 99, 768)}),
              Not(Contains(HasSubstr("datagram"))));
}

TEST(Unix, AsksForNamesOnlyIfDatagramsAreNotRead) {
  CollectorFixture fixture;
  const auto collector = make_unix(settings({{"max", "200"}}));
  fixture.kernel.unix_sockets = {receiver("/a", 1, 0), sender(10, 1, 0)};
  fixture.collect(*collector);
  EXPECT_EQ(fixture.kernel.dumps, 2);
  fixture.kernel.unix_sockets = {receiver("/a", 1, 1), sender(10, 1, 0)};
  fixture.collect(*collector);
  EXPECT_EQ(fixture.kernel.dumps, 5);
}

TEST(Unix, SumsAndAggregatesDatagramSockets) {
  const auto found = lines({receiver("/a", 1, 0), receiver("/a", 2, 3), receiver("/b", 3, 1),
                            receiver("/c", 4, 1), receiver("other", 5, 1), sender(10, 1, 100),
                            sender(11, 4, 30), sender(12, 3, 20), sender(13, 5, 200)},
                           "2");
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_datagram_unread{path="/a"} 1)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_datagram_pending_bytes{path="/a"} 100)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_datagram_unread{path="other"} 1)"));
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_datagram_pending_bytes{path="other"} 250)"));
  EXPECT_EQ(std::ranges::count_if(
                found, [](const std::string& line) { return line.find("unread") != line.npos; }),
            2);
}

// Found by tests/fuzz: a duplicate series.
TEST(Unix, AggregatesASocketWithTheNameOfTheAggregate) {
  const auto found = lines({{.name = "other", .receive_queue = 9, .send_queue = 9},
                            {.name = "/a", .receive_queue = 1, .send_queue = 9},
                            {.name = "/b", .receive_queue = 1, .send_queue = 9}},
                           "2");
  EXPECT_THAT(found, Contains(R"(inetdiag_unix_listener_accept_queue_length{path="other"} 10)"));
  EXPECT_EQ(std::ranges::count_if(
                found,
                [](const std::string& line) {
                  return line.find("listener_accept_queue_length{path=\"other\"}") != line.npos;
                }),
            1);
}

TEST(Unix, SumsSocketsWhosePathsBecomeTheSameUtf8) {
  const auto found =
      lines({{.name = "/\xfe"s, .receive_queue = 1}, {.name = "/\xff"s, .receive_queue = 2}});
  EXPECT_THAT(found,
              Contains("inetdiag_unix_listener_accept_queue_length{path=\"/\xEF\xBF\xBD\"} 3"));
}

}  // namespace
}  // namespace inetdiag
