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

/// The web configuration file and the files that it names, reloaded when one of them changes. A
/// separate thread reads them: a file system that hangs blocks neither requests nor TLS handshakes.
class WebConfigWatcher {
 public:
  struct Current {
    WebConfig config;
    std::shared_ptr<SSL_CTX> tls;  ///< null without TLS
  };

  /// Throws std::runtime_error if the file, or a file that it names, is invalid.
  WebConfigWatcher(const std::string& path, const Log& log);

  /// The last valid configuration.
  std::shared_ptr<const Current> current() const;

  /// Loads all files again and logs a warning on failure, for example because of the sandbox. Call
  /// it before watch().
  void reload();

  /// The directories of all files and of the targets of symbolic links, such as those of certbot
  /// and Kubernetes; the file itself if it is in `/`. Call it before watch().
  std::set<std::string> paths_to_read() const;

  /// Starts to watch for changes.
  void watch();

  /// Stops watching; waits for a reload in progress.
  void stop();

 private:
  /// Identifies the version of a file; no values if it does not exist.
  struct Stamp {
    std::string path;
    std::vector<long long> values;
    bool operator==(const Stamp&) const = default;
  };

  static Stamp stamp_of(const std::string& path);
  bool is_unchanged() const;
  std::shared_ptr<const Current> load();
  void set_current(std::shared_ptr<const Current> next);
  void log_warnings(const WebConfig& config) const;
  void reload_if_changed();
  void watch_until(const std::stop_token& stop);

  std::string path_;
  const Log& log_;
  std::vector<Stamp> stamps_;  ///< of the files of the last load()
  bool has_failed_ = false;    ///< whether the last load() failed
  std::string last_error_;     ///< the last error that was logged

  mutable std::mutex mutex_;  ///< for current_ and stopped_; never held while a file is read
  std::shared_ptr<const Current> current_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace inetdiag
