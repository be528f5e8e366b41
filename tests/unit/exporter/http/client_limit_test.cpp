#include "exporter/http/client_limit.h"

#include <stdexcept>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace inetdiag {
namespace {

/// Restores RLIMIT_NOFILE.
class ClientLimit : public ::testing::Test {
 protected:
  ClientLimit() { ::getrlimit(RLIMIT_NOFILE, &before_); }
  ~ClientLimit() override { ::setrlimit(RLIMIT_NOFILE, &before_); }

  void set_limit(rlim_t descriptors) const {
    const rlimit limit{descriptors, before_.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  static rlim_t current_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
  }

  rlimit before_{};
};

TEST_F(ClientLimit, IsTheWantedNumberIfTheLimitsAllow) {
  set_limit(256);
  EXPECT_EQ(max_concurrent_clients(20, 1, 1), 20U);
}

TEST_F(ClientLimit, ReservesDescriptors) {
  set_limit(64);
  const unsigned clients = max_concurrent_clients(256, 1, 1);
  EXPECT_GT(clients, 0U);
  EXPECT_LE(clients, 32U);
}

TEST_F(ClientLimit, ReservesDescriptorsForListeningSockets) {
  set_limit(128);
  EXPECT_EQ(max_clients_for_descriptors(256, 1, 40), max_clients_for_descriptors(256, 1, 20) - 20);
  EXPECT_EQ(max_clients_for_descriptors(256, 2, 40), max_clients_for_descriptors(256, 2, 20) - 10);
  EXPECT_THROW(max_clients_for_descriptors(256, 1, 128), std::runtime_error);
}

TEST_F(ClientLimit, ThrowsIfNoClientFits) {
  set_limit(20);
  EXPECT_THROW(max_concurrent_clients(256, 1, 1), std::runtime_error);
}

TEST_F(ClientLimit, RaisesTheSoftLimitToTheHardLimit) {
  set_limit(100);
  raise_descriptor_limit();
  EXPECT_EQ(current_limit(), before_.rlim_max);
}

}  // namespace
}  // namespace inetdiag
