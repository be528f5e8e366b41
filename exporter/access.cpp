#include "exporter/access.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace inetdiag {

Access::Access(std::shared_ptr<WebSettings> settings, HttpHandler handler)
    : settings_(std::move(settings)), handler_(std::move(handler)) {}

HttpResponse Access::answer(const HttpRequest& request) {
  if (settings_ == nullptr) {
    return handler_(request);
  }
  const auto current = settings_->current();
  HttpResponse response = checked(request, current->config);
  for (const auto& header : current->config.headers) {
    // What a page sets itself it needs, such as the policy that allows its own style.
    const bool is_set = std::ranges::any_of(
        response.headers, [&](const auto& set) { return set.first == header.first; });
    // Every answer has this one, with the only value that can be configured.
    if (!is_set && header.first != "X-Content-Type-Options") {
      response.headers.push_back(header);
    }
  }
  return response;
}

HttpResponse Access::checked(const HttpRequest& request, const WebConfig& config) {
  if (config.users.empty()) {
    return handler_(request);
  }
  const std::optional<Credentials> given = parse_basic_auth(request.header("Authorization"));
  const auto answer = given ? passwords_.check(config.users, *given) : PasswordCheck::Answer::wrong;
  switch (answer) {
    case PasswordCheck::Answer::right:
      return handler_(request);
    case PasswordCheck::Answer::busy:
      return {.status = 503,
              .body = "too many passwords to compare at the moment, try again later\n",
              .headers = {{"Retry-After", "1"}}};
    default:
      return {.status = 401,
              .body = "401 unauthorized\n",
              .headers = {{"WWW-Authenticate", "Basic realm=\"inetdiag_exporter\""}}};
  }
}

}  // namespace inetdiag
