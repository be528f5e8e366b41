// A network namespace of the test's own, what happens in it, and what ss, nstat and this program
// say of it at the same moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/scrape/scraper.h"

namespace inetdiag::testing {

using kernel::UniqueFd;

/// The standard output of a command in the namespace; fails the test where the command fails.
std::string output_of(const std::string& command);

/// The series of a page by their text, `inetdiag_tcp_sockets{state="listen"}`.
class Series {
 public:
  explicit Series(const std::string& page);
  /// NaN where there is no such series.
  double operator[](const std::string& series) const;
  bool contains(const std::string& series) const { return values_.contains(series); }
  /// The labels of each series of a family: `address="0.0.0.0",port="80"`.
  std::vector<std::string> labels_of(const std::string& family) const;
  const std::map<std::string, double>& all() const { return values_; }
  /// The kernel's name of each nstat counter, from HELP, with its value.
  std::map<std::string, double> by_kernel_name() const;

 private:
  std::map<std::string, double> values_;
  std::map<std::string, std::string> helps_;
};

class NetworkNamespace : public ::testing::Test {
 protected:
  void SetUp() override;

  struct Choice {
    std::string cpu_budget = "100%";  ///< of the tcp collector: a full dump at every scrape
  };
  /// One scrape of every collector, by a program that was just started.
  static Series scrape(const Choice& choice);
  /// One scrape of every collector by the same program in the whole test.
  Series scrape();
  /// A counter of the kernel as nstat(8) tells it.
  static std::uint64_t nstat(const std::string& name);
  /// Repeats until `counters` were the same before and after the scrape.
  Series scrape_while_still(const std::vector<std::string>& counters);
  static void set_sysctl(const std::string& name, const std::string& value);
  /// Makes 10.99.0.0/16 reachable over a device that swallows what is sent to it.
  static void add_black_hole();

 private:
  std::unique_ptr<Scraper> scraper_;
};

struct Listening {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any
  int backlog = 4;
  bool reuse_port = false;
  std::string device{};
};

UniqueFd listen_on(const Listening& listening);
std::uint16_t port_of(const UniqueFd& socket);
/// Begins to connect and does not wait.
UniqueFd connect_to(const std::string& address, std::uint16_t port);
UniqueFd accept_from(const UniqueFd& listener);
/// Sends `count` SYNs from different addresses of 10.99.0.0/16, whose SYN-ACKs nobody answers.
void send_syns(const std::string& destination, std::uint16_t port, int count);

/// Waits until `condition` holds, and fails the test where it does not within ten seconds.
template <typename Condition>
void wait_until(const char* what, Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) {
      FAIL() << "waited in vain until " << what;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace inetdiag::testing
