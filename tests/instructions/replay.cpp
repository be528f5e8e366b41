// Replays a scrape of a small host a number of times, for tests/instructions/run to count its
// instructions: recorded files, recorded netlink answers, no socket.
//
//   replay SUBJECT TIMES
//   replay toolchain        prints what else the count depends on

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gnu/libc-version.h>
#include <linux/if_ether.h>
#include <linux/packet_diag.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <malloc.h>

#include "collectors/kernel/base/text.h"
#include "collectors/registry.h"
#include "exporter/cli/command_line.h"
#include "exporter/exposition/gzip.h"
#include "exporter/exposition/text_format.h"
#include "exporter/http/handler_metrics.h"
#include "exporter/http/router.h"
#include "exporter/scrape/scraper.h"
#include "exporter/scrape/self_metrics.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/diag_messages.h"
#include "tests/unit/support/families_of_pods.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::TcpState;

Bytes qdisc(std::string_view kind) {
  Bytes bytes = bytes_of(tcmsg{.tcm_family = AF_UNSPEC,
                               .tcm__pad1 = 0,
                               .tcm__pad2 = 0,
                               .tcm_ifindex = 1,
                               .tcm_handle = 0,
                               .tcm_parent = TC_H_ROOT,
                               .tcm_info = 0});
  Bytes name;
  for (const char c : std::string(kind) + '\0') {
    name.push_back(static_cast<std::byte>(c));
  }
  append_attribute(bytes, TCA_KIND, name);
  return bytes;
}

Bytes packet_socket() {
  packet_diag_msg message{};
  message.pdiag_family = AF_PACKET;
  message.pdiag_num = ETH_P_ALL;
  message.pdiag_ino = 4711;
  Bytes bytes = bytes_of(message);
  append_attribute(bytes, PACKET_DIAG_MEMINFO, memory_info(3));
  return bytes;
}

/// A host with 50 TCP sockets: 8 listeners, one of them with a queue, and their connections.
FakeKernel small_host() {
  FakeKernel host;
  for (const std::uint16_t port :
       std::to_array<std::uint16_t>({22, 80, 443, 3306, 5432, 6379, 8080, 9090})) {
    host.sockets.push_back({.port = port, .send_queue = 128, .drops = port == 443 ? 7 : 0});
    host.unix_sockets.push_back({.name = "/run/service" + std::to_string(port) + ".sock",
                                 .receive_queue = 1,
                                 .send_queue = 128});
  }
  host.sockets.front().receive_queue = 3;
  constexpr std::size_t all_sockets = 50;
  constexpr std::array states = {TcpState::established, TcpState::established, TcpState::time_wait,
                                 TcpState::close_wait,  TcpState::syn_sent,    TcpState::fin_wait1};
  while (host.sockets.size() < all_sockets) {
    const std::size_t i = host.sockets.size();
    host.sockets.push_back(
        {.address = "192.0.2.1",
         .port = i % 3 == 0 ? std::uint16_t{443} : static_cast<std::uint16_t>(40000 + i),
         .state = states[i % std::size(states)],
         .full = true,
         .peer_address = "192.0.2.2",
         .peer_port = static_cast<std::uint16_t>(50000 + i)});
  }
  for (const std::uint16_t port : std::to_array<std::uint16_t>({53, 68, 123, 323, 5353})) {
    host.udp_sockets.push_back({.port = port,
                                .state = TcpState::close,
                                .receive_queue = 768,
                                .receive_limit = 212'992,
                                .drops = 1});
  }
  host.packet_sockets = {packet_socket()};
  host.qdiscs = {qdisc("noqueue"), qdisc("fq_codel")};
  return host;
}

/// The answers of a FakeKernel, recorded when a request is first made: later scrapes cost a copy,
/// as they do in the kernel.
class Recorder {
 public:
  kernel::NetlinkFactory factory() {
    return [this](int protocol) { return std::make_unique<Connection>(*this, protocol); };
  }

 private:
  using Request = std::pair<int, Bytes>;  // protocol, request

  class Connection : public kernel::Netlink {
   public:
    Connection(Recorder& recorder, int protocol) : recorder_(recorder), protocol_(protocol) {}

    void send(std::span<const std::byte> request) override {
      const auto [entry, is_new] =
          recorder_.answers_.try_emplace({protocol_, Bytes(request.begin(), request.end())});
      answer_ = &entry->second;
      next_ = 0;
      if (is_new) {
        record(request, entry->second);
      }
    }

    std::size_t receive(std::span<std::byte> buffer, const kernel::Deadline& deadline) override {
      deadline.check();
      const Bytes& datagram = answer_->at(next_++);
      std::memcpy(buffer.data(), datagram.data(), datagram.size());
      return datagram.size();
    }

    std::uint32_t port_id() const override { return replay_port_id; }
    std::uint32_t sequence() const override { return replay_sequence; }

   private:
    /// Joins messages to datagrams, as the kernel does.
    void record(std::span<const std::byte> request, std::vector<Bytes>& answer) {
      constexpr std::size_t datagram_bytes = 8192;
      constexpr std::size_t buffer_bytes = 32768;
      const auto connection = recorder_.open_(protocol_);
      connection->send(request);
      Bytes buffer(buffer_bytes);
      answer.emplace_back();
      while (true) {
        const std::size_t bytes =
            connection->receive(buffer, kernel::Deadline::in(std::chrono::hours(1)));
        const bool is_done = kind_of(buffer) == NLMSG_DONE;
        if (is_done || answer.back().size() + bytes > datagram_bytes) {
          answer.emplace_back();
        }
        answer.back().insert(answer.back().end(), buffer.begin(),
                             buffer.begin() + static_cast<std::ptrdiff_t>(bytes));
        if (is_done) {
          std::erase_if(answer, [](const Bytes& datagram) { return datagram.empty(); });
          return;
        }
      }
    }

    static std::uint16_t kind_of(const Bytes& message) {
      nlmsghdr header{};
      std::memcpy(&header, message.data(), sizeof header);
      return header.nlmsg_type;
    }

    Recorder& recorder_;
    int protocol_;
    const std::vector<Bytes>* answer_ = nullptr;
    std::size_t next_ = 0;
  };

  FakeKernel kernel_ = small_host();
  kernel::NetlinkFactory open_ = kernel_.factory();
  std::map<Request, std::vector<Bytes>> answers_;
};

/// Requests the page as Prometheus does. `flags` choose the collectors.
void scrape(int times, std::vector<const char*> flags) {
  flags.insert(flags.begin(), "inetdiag_exporter");
  flags.push_back("--collector.listeners.sample-interval=0");  // no thread of its own
  auto collectors = std::move(parse_command_line(flags, registry()).options.value().collectors);
  const CapturedLog captured;
  HandlerMetrics handler_metrics;
  const TemporaryTree sys;
  Recorder recorder;
  const auto self = self_metrics(/*has_process_metrics=*/true);
  Scraper scraper(
      {kernel::FileTree(FIXTURES "/proc"), kernel::FileTree(sys.root()), recorder.factory()},
      std::move(collectors),
      [&] {
        auto families = self();
        auto handler = handler_metrics.families();
        std::ranges::move(handler, std::back_inserter(families));
        return families;
      },
      captured.log);
  Router router({}, scraper, {}, handler_metrics);
  const HttpRequest request{.method = "GET",
                            .path = "/metrics",
                            .query = "",
                            .header = [](std::string_view name) -> std::string {
                              return name == "Accept-Encoding" ? "gzip" : "";
                            }};
  for (int i = 0; i < times; ++i) {
    const HttpResponse response = router.handle(request);
    if (response.status != 200 || captured.count("level=error") != 0) {
      throw std::runtime_error("the scrape failed: " + captured.text());
    }
  }
}

void write_pages(int times) {
  const auto families = families_of_pods();
  std::size_t bytes = 0;
  for (int i = 0; i < times; ++i) {
    bytes += gzip(text_format(families)).size();
  }
  if (times > 0 && bytes == 0) {
    throw std::runtime_error("no page");
  }
}

std::string toolchain() {
#ifdef __OPTIMIZE__
  const std::string optimization = "optimized";
#else
  const std::string optimization = "not optimized";
#endif
#ifdef __clang__
  const std::string compiler = __VERSION__;  // begins with the name
#else
  const std::string compiler = "GCC " __VERSION__;
#endif
  return compiler + ", glibc " + gnu_get_libc_version() + ", " + optimization;
}

void run(std::string_view subject, int times) {
  if (subject == "default") {
    scrape(times, {"--collector.tcp.cpu-budget=100%"});
  } else if (subject == "three") {
    scrape(times, {"--collector.disable-defaults", "--collector.tcp", "--collector.nstat",
                   "--collector.sockstat", "--collector.tcp.cpu-budget=100%"});
  } else if (subject == "page") {
    write_pages(times);
  } else {
    throw std::runtime_error("unknown subject");
  }
}

}  // namespace
}  // namespace inetdiag

int main(int argc, char** argv) {
  try {
    mallopt(M_ARENA_MAX, 1);  // as the program does
    const std::vector<std::string_view> arguments(argv, argv + argc);
    if (arguments.at(1) == "toolchain") {
      std::cout << inetdiag::toolchain() << '\n';
      return 0;
    }
    inetdiag::run(arguments.at(1), inetdiag::kernel::to_number<int>(arguments.at(2)).value());
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "replay: " << error.what() << '\n';
    return 1;
  }
}
