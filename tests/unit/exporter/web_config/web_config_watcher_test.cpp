#include "exporter/web_config/web_config_watcher.h"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using testing::CapturedLog;
using testing::TemporaryTree;

TEST(WebConfigWatcher, LogsTheWarningsOfAReload) {
  const TemporaryTree tree;
  tree.write("web.yml", "");
  const CapturedLog captured;
  WebConfigWatcher watcher(tree.path("web.yml").string(), captured.log);
  watcher.watch();
  tree.write("web.yml", "rate_limit: {interval: 1s}\n");
  const auto end = std::chrono::steady_clock::now() + 1min;
  while (watcher.current()->config.warnings.empty() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(10ms);
  }
  watcher.stop();
  EXPECT_EQ(captured.count("burst is below 1"), 1);
}

}  // namespace
}  // namespace inetdiag
