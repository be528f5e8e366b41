#pragma once

#include <memory>

#include "exporter/basic_auth.h"
#include "exporter/http_server.h"
#include "exporter/web_settings.h"

namespace inetdiag {

/// Lets pass to a handler only who may ask, and adds the configured headers to every answer.
class Access {
 public:
  /// Without settings everybody may ask.
  Access(std::shared_ptr<WebSettings> settings, HttpHandler handler);

  HttpResponse answer(const HttpRequest& request);

 private:
  HttpResponse checked(const HttpRequest& request, const WebConfig& config);

  std::shared_ptr<WebSettings> settings_;
  HttpHandler handler_;
  PasswordCheck passwords_;
};

}  // namespace inetdiag
