#pragma once

#include <memory>
#include <optional>

#include "exporter/basic_auth.h"
#include "exporter/http_server.h"
#include "exporter/log.h"
#include "exporter/rarely.h"
#include "exporter/web_settings.h"

namespace inetdiag {

/// Lets pass to a handler only who may ask, tells the log now and then whom not, and adds the
/// configured headers to every answer.
class Access {
 public:
  /// Without settings everybody may ask.
  Access(std::shared_ptr<WebSettings> settings, HttpHandler handler, const Log& log);

  HttpResponse answer(const HttpRequest& request);

 private:
  HttpResponse checked(const HttpRequest& request, const WebConfig& config);
  void tell_refusal(const std::string& client, const std::optional<Credentials>& given,
                    const WebConfig& config);

  std::shared_ptr<WebSettings> settings_;
  HttpHandler handler_;
  PasswordCheck passwords_;
  const Log& log_;
  Rarely refusals_;
};

}  // namespace inetdiag
