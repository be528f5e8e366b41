#include "tests/live/network_namespace.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collectors/registry.h"
#include "exporter/build_info.h"

namespace inetdiag::testing {
namespace {

struct Name {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Name name_of(const std::string& address, std::uint16_t port) {
  Name name;
  if (address.find(':') == std::string::npos) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(name.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    inet_pton(AF_INET, address.c_str(), &v4.sin_addr);
    name.length = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(name.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr);
    name.length = sizeof v6;
  }
  return name;
}

std::vector<NamedCollector> all_collectors(const std::string& cpu_budget) {
  std::vector<NamedCollector> collectors;
  for (const CollectorEntry& entry : registry()) {
    Settings settings;
    for (const SettingSpec& setting : entry.settings) {
      if (setting.name == "cpu-budget") {
        settings.add(setting.name, cpu_budget);
      } else if (!setting.default_value.empty()) {
        settings.add(setting.name, std::string(setting.default_value));
      }
    }
    collectors.push_back({std::string(entry.name), entry.make(settings)});
  }
  return collectors;
}

std::uint16_t checksum(std::uint32_t sum, const void* data, std::size_t length) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  for (std::size_t i = 0; i + 1 < length; i += 2) {
    sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  }
  while (sum >> 16 != 0) {
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return htons(static_cast<std::uint16_t>(~sum));
}

}  // namespace

std::string output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "re");
  EXPECT_NE(pipe, nullptr);
  std::string output;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), n);
  }
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return output;
}

Series::Series(const std::string& page) {
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    const std::string help = "# HELP ";
    if (line.starts_with(help)) {
      const std::size_t end = line.find(' ', help.size());
      helps_[line.substr(help.size(), end - help.size())] = line.substr(end + 1);
    } else if (!line.starts_with('#')) {
      const std::size_t blank = line.rfind(' ');
      values_[line.substr(0, blank)] = std::stod(line.substr(blank + 1));
    }
  }
}

double Series::operator[](const std::string& series) const {
  const auto found = values_.find(series);
  return found == values_.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

std::vector<std::string> Series::labels_of(const std::string& family) const {
  std::vector<std::string> labels;
  for (const auto& [series, value] : values_) {
    if (series.starts_with(family + "{")) {
      labels.push_back(series.substr(family.size() + 1, series.size() - family.size() - 2));
    }
  }
  return labels;
}

std::map<std::string, double> Series::by_kernel_name() const {
  std::map<std::string, double> counters;
  for (const auto& [metric, help] : helps_) {
    if (metric.starts_with("inetdiag_nstat_")) {
      counters[help.substr(0, help.find_first_of(": "))] = values_.at(metric);
    }
  }
  return counters;
}

void NetworkNamespace::SetUp() {
  if (build_info::sanitizers == "thread") {
    GTEST_SKIP() << "ThreadSanitizer is not compatible with network namespaces in this test";
  }
  if (::unshare(CLONE_NEWNET) != 0) {
    GTEST_SKIP() << "cannot create a network namespace: " << std::strerror(errno)
                 << "; run as root or with unshare -rn";
  }
  output_of("ip link set lo up");
  scraper_ = make_scraper({});
}

std::unique_ptr<Scraper> NetworkNamespace::make_scraper(const Options& options) {
  static const Log log(spdlog::level::info, LogFormat::logfmt,
                       std::make_shared<spdlog::sinks::stderr_sink_mt>());
  return std::make_unique<Scraper>(
      KernelSource{kernel::FileTree("/proc"), kernel::FileTree("/sys"), kernel::open_netlink},
      all_collectors(options.cpu_budget), [] { return std::vector<prometheus::MetricFamily>(); },
      log);
}

Series NetworkNamespace::scrape(Scraper& scraper) {
  const auto result = scraper.scrape_all(Scraper::Clock::now() + std::chrono::minutes(1));
  Series series(result->exposition.page(PageFormat::text));
  for (const std::string& name : scraper.names()) {
    EXPECT_EQ(series["inetdiag_scrape_collector_success{collector=\"" + name + "\"}"], 1) << name;
  }
  return series;
}

Series NetworkNamespace::scrape(const Options& options) { return scrape(*make_scraper(options)); }

Series NetworkNamespace::scrape() { return scrape(*scraper_); }

std::uint64_t NetworkNamespace::nstat(const std::string& name) {
  std::istringstream lines(output_of("nstat -asz " + name));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + " ")) {
      return std::stoull(line.substr(name.size()));
    }
  }
  ADD_FAILURE() << "nstat has no " << name;
  return 0;
}

Series NetworkNamespace::scrape_while_unchanged(const std::vector<std::string>& counters) {
  const auto values = [&] {
    std::vector<std::uint64_t> now;
    for (const std::string& counter : counters) {
      now.push_back(nstat(counter));
    }
    return now;
  };
  for (int attempt = 0; attempt < 100; ++attempt) {
    const auto before = values();
    Series series = scrape();
    if (values() == before) {
      return series;
    }
  }
  ADD_FAILURE() << "the counters changed during every scrape";
  return scrape();
}

void NetworkNamespace::set_sysctl(const std::string& name, const std::string& value) {
  std::ofstream file("/proc/sys/" + name);
  file << value;
  file.close();
  ASSERT_TRUE(file) << name;
}

void NetworkNamespace::add_black_hole() {
  output_of("ip link add hole type veth peer name far");
  output_of("ip link set hole arp off && ip addr add 10.99.0.1/16 dev hole");
  output_of("ip link set hole up && ip link set far up");
}

ServiceCgroup::ServiceCgroup() : name_("inetdiag-test-" + std::to_string(::getpid()) + ".service") {
  for (const auto* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    if (::access((std::string(mount) + "/cgroup.controllers").c_str(), F_OK) == 0) {
      mount_ = mount;
      exists_ = ::mkdir((mount_ + "/" + name_).c_str(), 0755) == 0;
      return;
    }
  }
}

ServiceCgroup::~ServiceCgroup() {
  if (exists_) {
    EXPECT_EQ(::rmdir((mount_ + "/" + name_).c_str()), 0);
  }
}

void ServiceCgroup::enter() const { std::ofstream(mount_ + "/" + name_ + "/cgroup.procs") << "0"; }

void ServiceCgroup::leave() const { std::ofstream(mount_ + "/cgroup.procs") << "0"; }

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return name;
}

UniqueFd listen_on(const Listening& listening) {
  const Name name = name_of(listening.address, listening.port);
  UniqueFd socket(::socket(name.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (listening.reuse_port) {
    EXPECT_EQ(::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
  }
  if (!listening.device.empty()) {
    EXPECT_EQ(::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, listening.device.c_str(),
                           static_cast<socklen_t>(listening.device.size())),
              0);
  }
  EXPECT_EQ(::bind(socket.get(), name.get(), name.length), 0) << std::strerror(errno);
  EXPECT_EQ(::listen(socket.get(), listening.backlog), 0) << std::strerror(errno);
  return socket;
}

std::uint16_t port_of(const UniqueFd& socket) {
  sockaddr_in6 name{};
  socklen_t length = sizeof name;
  EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &length), 0);
  return ntohs(name.sin6_port);  // same offset as sin_port
}

UniqueFd connect_to(const std::string& address, std::uint16_t port) {
  const Name name = name_of(address, port);
  UniqueFd socket(::socket(name.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(socket.get(), name.get(), name.length) != 0) {
    EXPECT_EQ(errno, EINPROGRESS) << std::strerror(errno);
  }
  return socket;
}

UniqueFd accept_from(const UniqueFd& listener) {
  UniqueFd socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_TRUE(socket) << std::strerror(errno);
  return socket;
}

void send_syns(const std::string& destination, std::uint16_t port, int count) {
  const UniqueFd raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  ASSERT_TRUE(raw) << std::strerror(errno);
  const Name name = name_of(destination, 0);
  for (int i = 0; i < count; ++i) {
    struct Packet {
      iphdr ip{};
      tcphdr tcp{};
    } packet;
    packet.ip.version = 4;
    packet.ip.ihl = 5;
    packet.ip.ttl = 64;
    packet.ip.protocol = IPPROTO_TCP;
    packet.ip.tot_len = htons(sizeof packet);
    packet.ip.saddr = htonl(0x0a630100U + static_cast<std::uint32_t>(i));  // 10.99.1.0 + i
    packet.ip.daddr = reinterpret_cast<const sockaddr_in*>(name.get())->sin_addr.s_addr;
    packet.tcp.source = htons(static_cast<std::uint16_t>(20000 + i));
    packet.tcp.dest = htons(port);
    packet.tcp.doff = 5;
    packet.tcp.syn = 1;
    packet.tcp.window = htons(65535);
    // Pseudo header, RFC 9293, section 3.1.
    std::uint32_t pseudo = IPPROTO_TCP + sizeof packet.tcp;
    for (const std::uint32_t address : {ntohl(packet.ip.saddr), ntohl(packet.ip.daddr)}) {
      pseudo += (address >> 16) + (address & 0xffff);
    }
    packet.tcp.check = checksum(pseudo, &packet.tcp, sizeof packet.tcp);
    ASSERT_EQ(::sendto(raw.get(), &packet, sizeof packet, 0, name.get(), name.length),
              static_cast<ssize_t>(sizeof packet))
        << std::strerror(errno);
  }
}

}  // namespace inetdiag::testing
