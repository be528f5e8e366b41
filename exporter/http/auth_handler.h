#pragma once

#include <memory>
#include <optional>

#include "exporter/http/basic_auth.h"
#include "exporter/http/http_server.h"
#include "exporter/http/token_bucket.h"
#include "exporter/log/log.h"
#include "exporter/log/rate_limiter.h"
#include "exporter/web_config/web_config_watcher.h"

namespace inetdiag {

/// Applies the web configuration: limits the rate of requests and authenticates them before the
/// handler runs, except those for health paths, and adds the configured headers to all responses.
class AuthHandler {
 public:
  /// Passes every request to `handler` unchanged if `web_config` is null.
  AuthHandler(std::shared_ptr<WebConfigWatcher> web_config, HttpHandler handler, const Log& log);

  HttpResponse handle(const HttpRequest& request);

 private:
  HttpResponse authenticate(const HttpRequest& request, const WebConfig& config);
  void log_failure(const std::string& client, const std::optional<Credentials>& credentials,
                   const WebConfig& config);

  std::shared_ptr<WebConfigWatcher> web_config_;
  HttpHandler handler_;
  TokenBucket bucket_;
  PasswordVerifier passwords_;
  const Log& log_;
  LogRateLimiter failures_;
};

}  // namespace inetdiag
