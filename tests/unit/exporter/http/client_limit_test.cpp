#include "exporter/http/client_limit.h"

#include <stdexcept>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "exporter/http/http_server.h"

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

TEST_F(ClientLimit, AllowsTheMaximumWithManyDescriptors) {
  set_limit(1024);
  EXPECT_EQ(client_limits(1).clients, 256U);
  EXPECT_EQ(client_limits(1).connections, HttpServer::threads);
}

TEST_F(ClientLimit, SharesFewDescriptorsBetweenClientsAndConnections) {
  set_limit(64);
  const ClientLimits limits = client_limits(1);
  EXPECT_GT(limits.connections, 0U);
  EXPECT_GT(limits.clients, limits.connections);
  EXPECT_LE(limits.clients + 2 * limits.connections, 32U);
}

TEST_F(ClientLimit, ReservesDescriptorsForListeningSockets) {
  set_limit(256);
  EXPECT_EQ(client_limits(40).clients, client_limits(20).clients - 20);
}

TEST_F(ClientLimit, ThrowsIfNoClientFits) {
  set_limit(20);
  EXPECT_THROW(client_limits(1), std::runtime_error);
  set_limit(128);
  EXPECT_THROW(client_limits(128), std::runtime_error);
}

TEST_F(ClientLimit, RaisesTheSoftLimitToTheHardLimit) {
  set_limit(100);
  raise_descriptor_limit();
  EXPECT_EQ(current_limit(), before_.rlim_max);
}

}  // namespace
}  // namespace inetdiag
