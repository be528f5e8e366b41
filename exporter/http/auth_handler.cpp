#include "exporter/http/auth_handler.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace inetdiag {
namespace {

/// A name from outside, as far as the log needs it: who mistyped it finds it.
std::string shown(std::string_view user) {
  constexpr std::size_t longest = 32;
  std::string text(user.substr(0, longest));
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.append(user.size() > longest ? "..." : "");
}

}  // namespace

AuthHandler::AuthHandler(std::shared_ptr<WebConfigWatcher> settings, HttpHandler handler,
                         const Log& log)
    : settings_(std::move(settings)), handler_(std::move(handler)), log_(log) {}

HttpResponse AuthHandler::answer(const HttpRequest& request) {
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

HttpResponse AuthHandler::checked(const HttpRequest& request, const WebConfig& config) {
  if (config.users.empty()) {
    return handler_(request);
  }
  const std::string header = request.header("Authorization");
  const std::optional<Credentials> given = parse_basic_auth(header);
  const auto answer = given ? passwords_.check(config.users, *given) : PasswordCheck::Answer::wrong;
  switch (answer) {
    case PasswordCheck::Answer::right:
      return handler_(request);
    case PasswordCheck::Answer::busy:
      return {.status = 503,
              .body = "too many passwords to compare at the moment, try again later\n",
              .headers = {{"Retry-After", "1"}}};
    default:
      // A browser asks without a password first.
      if (!header.empty()) {
        tell_refusal(request.client, given, config);
      }
      return {.status = 401,
              .body = "401 unauthorized\n",
              .headers = {{"WWW-Authenticate", "Basic realm=\"inetdiag_exporter\""}}};
  }
}

void AuthHandler::tell_refusal(const std::string& client, const std::optional<Credentials>& given,
                               const WebConfig& config) {
  const std::optional<unsigned> suppressed = refusals_.try_acquire();
  if (!suppressed) {
    return;
  }
  const std::string why = !given ? "the header Authorization is not that of a user and a password"
                          : config.users.contains(given->user) ? "wrong password"
                                                               : "unknown user";
  log_.warn("client not let in", {{"client", client},
                                  {"error", why},
                                  {"user", given ? shown(given->user) : ""},
                                  {"suppressed", std::to_string(*suppressed)}});
}

}  // namespace inetdiag
