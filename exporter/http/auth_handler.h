#pragma once

#include <memory>
#include <optional>

#include "exporter/http/basic_auth.h"
#include "exporter/http/http_server.h"
#include "exporter/log/log.h"
#include "exporter/log/rate_limiter.h"
#include "exporter/web_config/web_config_watcher.h"

namespace inetdiag {

/// Lets pass to a handler only who may ask, tells the log now and then whom not, and adds the
/// configured headers to every answer.
class AuthHandler {
 public:
  /// Without settings everybody may ask.
  AuthHandler(std::shared_ptr<WebConfigWatcher> settings, HttpHandler handler, const Log& log);

  HttpResponse answer(const HttpRequest& request);

 private:
  HttpResponse checked(const HttpRequest& request, const WebConfig& config);
  void tell_refusal(const std::string& client, const std::optional<Credentials>& given,
                    const WebConfig& config);

  std::shared_ptr<WebConfigWatcher> settings_;
  HttpHandler handler_;
  PasswordCheck passwords_;
  const Log& log_;
  LogRateLimiter refusals_;
};

}  // namespace inetdiag
