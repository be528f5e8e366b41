#include "exporter/http/auth_handler.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "exporter/http/health_paths.h"

namespace inetdiag {
namespace {

/// A user name from the network, shortened and made safe for the log.
std::string loggable(std::string_view user) {
  constexpr std::size_t max_length = 32;
  std::string text(user.substr(0, max_length));
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.append(user.size() > max_length ? "..." : "");
}

}  // namespace

AuthHandler::AuthHandler(std::shared_ptr<WebConfigWatcher> web_config, HttpHandler handler,
                         const Log& log)
    : web_config_(std::move(web_config)), handler_(std::move(handler)), log_(log) {}

HttpResponse AuthHandler::handle(const HttpRequest& request) {
  if (web_config_ == nullptr) {
    return handler_(request);
  }
  const auto current = web_config_->current();
  // Kubelet sends no password, and restarts a container that answers its probe with an error.
  const bool is_health = is_health_path(request.path);
  if (!is_health && !bucket_.try_acquire(current->config.rate_limit)) {
    // As exporter-toolkit: before authentication, and without the configured headers.
    return {.status = 429, .body = "Too Many Requests\n"};
  }
  HttpResponse response = is_health ? handler_(request) : authenticate(request, current->config);
  for (const auto& header : current->config.headers) {
    // A page keeps the headers that it depends on, such as the policy that allows its own style.
    const bool is_set = std::ranges::any_of(
        response.headers, [&](const auto& set) { return set.first == header.first; });
    // HttpServer always sends X-Content-Type-Options, with its only valid value.
    if (!is_set && header.first != "X-Content-Type-Options") {
      response.headers.push_back(header);
    }
  }
  return response;
}

HttpResponse AuthHandler::authenticate(const HttpRequest& request, const WebConfig& config) {
  if (config.users.empty()) {
    return handler_(request);
  }
  const std::string header = request.header("Authorization");
  const std::optional<Credentials> credentials = parse_basic_auth(header);
  const auto result = credentials ? passwords_.verify(config.users, *credentials)
                                  : PasswordVerifier::Result::mismatch;
  switch (result) {
    case PasswordVerifier::Result::match:
      return handler_(request);
    case PasswordVerifier::Result::busy:
      return {.status = 503,
              .body = "too many passwords being verified, try again later\n",
              .headers = {{"Retry-After", "1"}}};
    default:
      // Browsers send the first request without credentials.
      if (!header.empty()) {
        log_failure(request.client, credentials, config);
      }
      return {.status = 401,
              .body = "401 unauthorized\n",
              .headers = {{"WWW-Authenticate", "Basic realm=\"inetdiag_exporter\""}}};
  }
}

void AuthHandler::log_failure(const std::string& client,
                              const std::optional<Credentials>& credentials,
                              const WebConfig& config) {
  const std::optional<unsigned> suppressed = failures_.try_acquire();
  if (!suppressed) {
    return;
  }
  const std::string error = !credentials ? "the Authorization header is not valid basic auth"
                            : config.users.contains(credentials->user) ? "wrong password"
                                                                       : "unknown user";
  log_.warn("authentication failed", {{"client", client},
                                      {"error", error},
                                      {"user", credentials ? loggable(credentials->user) : ""},
                                      {"suppressed", std::to_string(*suppressed)}});
}

}  // namespace inetdiag
