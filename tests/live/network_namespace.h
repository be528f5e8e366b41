// Runs a test in a new network namespace, and compares this program with ss and nstat.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/scrape/scraper.h"

namespace inetdiag::testing {

using kernel::UniqueFd;

/// Returns the standard output of a command. Fails the test if the command fails.
std::string output_of(const std::string& command);

/// The series of a page by name and labels: `inetdiag_tcp_sockets{state="listen"}`.
class Series {
 public:
  explicit Series(const std::string& page);
  /// Returns NaN if there is no such series.
  double operator[](const std::string& series) const;
  bool contains(const std::string& series) const { return values_.contains(series); }
  /// Returns the labels of all series of a family: `address="0.0.0.0",port="80"`.
  std::vector<std::string> labels_of(const std::string& family) const;
  const std::map<std::string, double>& all() const { return values_; }
  /// Returns the nstat counters by their kernel names, which are in HELP.
  std::map<std::string, double> by_kernel_name() const;

 private:
  std::map<std::string, double> values_;
  std::map<std::string, std::string> helps_;
};

class NetworkNamespace : public ::testing::Test {
 protected:
  void SetUp() override;

  struct Options {
    std::string cpu_budget = "100%";  ///< of the tcp collector; 100%: a full dump in every scrape
  };
  static std::unique_ptr<Scraper> make_scraper(const Options& options);
  /// Scrapes all collectors of this Scraper.
  static Series scrape(Scraper& scraper);
  /// Scrapes all collectors of a new Scraper.
  static Series scrape(const Options& options);
  /// Scrapes all collectors of the Scraper of this test.
  Series scrape();
  /// Returns a counter as reported by nstat(8).
  static std::uint64_t nstat(const std::string& name);
  /// Scrapes until `counters` are the same before and after.
  Series scrape_while_unchanged(const std::vector<std::string>& counters);
  static void set_sysctl(const std::string& name, const std::string& value);
  /// Routes 10.99.0.0/16 to a device that drops all packets.
  static void add_black_hole();

 private:
  std::unique_ptr<Scraper> scraper_;
};

/// A new cgroup v2 with the name of a systemd service.
class ServiceCgroup {
 public:
  ServiceCgroup();
  ServiceCgroup(const ServiceCgroup&) = delete;
  ServiceCgroup& operator=(const ServiceCgroup&) = delete;
  /// Requires that the process has left, and that sockets created within are closed.
  ~ServiceCgroup();

  /// False if cgroup v2 is not mounted, or this user cannot create a cgroup.
  bool exists() const { return exists_; }
  const std::string& name() const { return name_; }
  /// Moves this process into the cgroup.
  void enter() const;
  /// Moves this process into the root cgroup.
  void leave() const;

 private:
  std::string mount_;
  std::string name_;
  bool exists_ = false;
};

struct Listening {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any
  int backlog = 4;
  bool reuse_port = false;
  std::string device{};
};

/// Returns 127.0.0.1 with a port.
sockaddr_in loopback(std::uint16_t port);
UniqueFd listen_on(const Listening& listening);
std::uint16_t port_of(const UniqueFd& socket);
/// Starts a non-blocking connect.
UniqueFd connect_to(const std::string& address, std::uint16_t port);
UniqueFd accept_from(const UniqueFd& listener);
/// Sends `count` SYNs from different addresses in 10.99.0.0/16, which do not reply to SYN-ACKs.
void send_syns(const std::string& destination, std::uint16_t port, int count);

/// Waits up to a minute, for slow virtual machines, until `condition` holds, else fails the test.
template <typename Condition>
void wait_until(const char* what, Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) {
      FAIL() << "timed out waiting until " << what;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace inetdiag::testing
