#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <openssl/types.h>

#include "exporter/log.h"
#include "exporter/web_config.h"

namespace inetdiag {

/// The web configuration file and what it names, read anew when one of them changed. Looked at for
/// each connection and each request, so that nothing runs in the background.
class WebSettings {
 public:
  struct Current {
    WebConfig config;
    std::shared_ptr<SSL_CTX> tls;  ///< null where it serves plain HTTP
  };

  /// Throws std::runtime_error where the file, or one that it names, is invalid.
  WebSettings(const std::string& path, const Log& log);

  /// What holds now. Where the files have become invalid that is what held before, and the log says
  /// why.
  std::shared_ptr<const Current> current();

  /// Reads everything anew, to tell in the log whether it still can be.
  void reread();

  /// The folders of all files, also behind symbolic links, as certbot and Kubernetes make them; the
  /// file itself where that is the root folder.
  std::set<std::string> paths_to_read();

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
  void try_to_read();

  std::string path_;
  const Log& log_;
  std::mutex mutex_;
  std::vector<Stamp> stamps_;
  std::string failure_;  ///< of the last time that it was read, told already
  std::chrono::steady_clock::time_point retry_after_;
  std::shared_ptr<const Current> current_;
};

}  // namespace inetdiag
