// StatsD over a network, on which ICMP errors arrive after send() has returned.
#include <array>
#include <cstring>
#include <sstream>

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <spdlog/sinks/null_sink.h>
#include <sys/socket.h>

#include "collectors/support/family.h"
#include "exporter/statsd/pusher.h"
#include "tests/live/network_namespace.h"

namespace inetdiag::testing {
namespace {

constexpr const char* server = "10.99.7.7";
constexpr std::uint16_t port = 8125;

sockaddr_in ipv4_name(const std::string& address, std::uint16_t at) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(at);
  EXPECT_EQ(inet_pton(AF_INET, address.c_str(), &name.sin_addr), 1);
  return name;
}

std::vector<prometheus::MetricFamily> page(double drops) {
  auto family = counter_family("drops_total", "help");
  add_series(family, {}, drops);
  return {family};
}

/// Returns the local address of the socket that is connected to `server`, from ss.
sockaddr_in client_address() {
  std::istringstream line(output_of(std::string("ss -Huan dst ") + server));
  std::string state;
  std::string receive_queue;
  std::string send_queue;
  std::string local;
  line >> state >> receive_queue >> send_queue >> local;
  const auto colon = local.rfind(':');
  return ipv4_name(local.substr(0, colon),
                   static_cast<std::uint16_t>(std::stoi(local.substr(colon + 1))));
}

/// Sends ICMP port unreachable (RFC 792), as the server does for a closed port.
void send_port_unreachable(const sockaddr_in& to) {
  struct __attribute__((packed)) {
    icmphdr icmp{};
    iphdr ip{};
    udphdr udp{};
  } message;
  message.icmp.type = ICMP_DEST_UNREACH;
  message.icmp.code = ICMP_PORT_UNREACH;
  message.ip.version = 4;
  message.ip.ihl = sizeof message.ip / 4;
  message.ip.ttl = 1;
  message.ip.protocol = IPPROTO_UDP;
  message.ip.saddr = to.sin_addr.s_addr;
  message.ip.daddr = ipv4_name(server, port).sin_addr.s_addr;
  message.udp.source = to.sin_port;
  message.udp.dest = htons(port);
  std::array<std::uint16_t, sizeof message / 2> words{};
  std::memcpy(words.data(), &message, sizeof message);
  std::uint32_t sum = 0;
  for (const std::uint16_t word : words) {
    sum += word;
  }
  sum = (sum & 0xFFFFU) + (sum >> 16U);
  message.icmp.checksum = static_cast<std::uint16_t>(~(sum + (sum >> 16U)));
  const UniqueFd raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
  sockaddr_in host = to;
  host.sin_port = 0;
  ASSERT_EQ(::sendto(raw.get(), &message, sizeof message, 0,
                     reinterpret_cast<const sockaddr*>(&host), sizeof host),
            static_cast<ssize_t>(sizeof message));
}

using StatsdNetwork = NetworkNamespace;

TEST_F(StatsdNetwork, ResendsIncreasesAfterAnIcmpError) {
  add_black_hole();
  const Log log(spdlog::level::info, LogFormat::logfmt,
                std::make_shared<spdlog::sinks::null_sink_mt>());
  statsd::PushCounters counters;
  statsd::Options options;
  options.address = statsd::Address{.host = server, .port = std::to_string(port)};
  statsd::Pusher pusher(options, log, counters);
  pusher.push(page(50));
  pusher.push(page(53));
  EXPECT_EQ(counters.sent, 1U);
  EXPECT_EQ(counters.errors, 0U);
  send_port_unreachable(client_address());
  wait_until("the ICMP error arrived", [] { return nstat("IcmpInDestUnreachs") == 1; });

  output_of(std::string("ip addr add ") + server + "/32 dev lo");
  const UniqueFd listener(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_in name = ipv4_name(server, port);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  pusher.push(page(54));
  EXPECT_EQ(counters.errors, 1U);
  std::array<char, 2000> datagram{};
  const ssize_t length = ::recv(listener.get(), datagram.data(), datagram.size(), 0);
  ASSERT_GT(length, 0);
  EXPECT_EQ(std::string(datagram.data(), static_cast<std::size_t>(length)), "drops_total:4|c");
  pusher.push(page(55));
  EXPECT_EQ(::recv(listener.get(), datagram.data(), datagram.size(), 0), 15);
  EXPECT_EQ(std::string(datagram.data(), 15), "drops_total:1|c");
  EXPECT_EQ(counters.errors, 1U);
}

}  // namespace
}  // namespace inetdiag::testing
