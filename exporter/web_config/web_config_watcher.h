#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <openssl/types.h>

#include "exporter/log/log.h"
#include "exporter/web_config/web_config.h"

namespace inetdiag {

/// The web configuration file and what it names, read anew when one of them changed. Only a thread
/// of its own looks: a file system that does not answer holds up no request and no handshake, and a
/// certificate that every client refuses is still renewed.
class WebConfigWatcher {
 public:
  struct Current {
    WebConfig config;
    std::shared_ptr<SSL_CTX> tls;  ///< null where it serves plain HTTP
  };

  /// Throws std::runtime_error where the file, or one that it names, is invalid.
  WebConfigWatcher(const std::string& path, const Log& log);

  /// What holds now. Where the files have become invalid that is what held before, and the log says
  /// why.
  std::shared_ptr<const Current> current() const;

  /// Reads everything anew, to tell in the log whether it still can be. Only before watch().
  void reread();

  /// The folders of all files, also behind symbolic links, as certbot and Kubernetes make them; the
  /// file itself where that is the root folder. Only before watch().
  std::set<std::string> paths_to_read() const;

  /// Looks for changes from now on.
  void watch();

  /// Looks no more; waits for a look that is under way.
  void stop();

 private:
  /// What tells that a file is not the one that was read; all zero where there is none.
  struct Stamp {
    std::string path;
    std::vector<long long> values;
    bool operator==(const Stamp&) const = default;
  };

  static Stamp stamp_of(const std::string& path);
  bool is_unchanged() const;
  std::shared_ptr<const Current> read();
  void hold(std::shared_ptr<const Current> next);
  void look();
  void watch_until(const std::stop_token& stop);

  std::string path_;
  const Log& log_;
  std::vector<Stamp> stamps_;
  bool has_failed_ = false;  ///< the last time that it was read
  std::string told_;         ///< why it failed

  mutable std::mutex mutex_;  ///< of what follows; never held while a file is looked at
  std::shared_ptr<const Current> current_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace inetdiag
