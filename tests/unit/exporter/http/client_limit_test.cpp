#include "exporter/http/client_limit.h"

#include <stdexcept>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace inetdiag {
namespace {

/// Puts back the limit of descriptors at its end.
class ClientLimit : public ::testing::Test {
 protected:
  ClientLimit() { ::getrlimit(RLIMIT_NOFILE, &before_); }
  ~ClientLimit() override { ::setrlimit(RLIMIT_NOFILE, &before_); }

  void allow(rlim_t descriptors) const {
    const rlimit limit{descriptors, before_.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  static rlim_t allowed() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
  }

  rlimit before_{};
};

TEST_F(ClientLimit, IsWhatIsWantedWhereThereIsRoom) {
  allow(256);
  EXPECT_EQ(max_concurrent_clients(20, 1, 1), 20U);
}

TEST_F(ClientLimit, LeavesDescriptorsForEverythingElse) {
  allow(64);
  const unsigned clients = max_concurrent_clients(256, 1, 1);
  EXPECT_GT(clients, 0U);
  EXPECT_LE(clients, 32U);
}

TEST_F(ClientLimit, LeavesDescriptorsForWhatListens) {
  allow(128);
  EXPECT_EQ(max_clients_for_descriptors(256, 1, 40), max_clients_for_descriptors(256, 1, 20) - 20);
  EXPECT_EQ(max_clients_for_descriptors(256, 2, 40), max_clients_for_descriptors(256, 2, 20) - 10);
  EXPECT_THROW(max_clients_for_descriptors(256, 1, 128), std::runtime_error);
}

TEST_F(ClientLimit, RefusesToServeNobody) {
  allow(20);
  EXPECT_THROW(max_concurrent_clients(256, 1, 1), std::runtime_error);
}

TEST_F(ClientLimit, CanBeRaisedToWhatTheAdministratorAllows) {
  allow(100);
  raise_descriptor_limit();
  EXPECT_EQ(allowed(), before_.rlim_max);
}

}  // namespace
}  // namespace inetdiag
