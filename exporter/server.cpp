#include "exporter/server.h"

#include "exporter/client_limit.h"

namespace inetdiag {

Server::Server(const std::vector<ListenAddress>& addresses, const HttpHandler& handler,
               const std::shared_ptr<WebSettings>& settings, const BeforeThreads& before_threads,
               const Log& log) {
  if (settings == nullptr || settings->current()->tls == nullptr) {
    http_ = std::make_unique<HttpServer>(
        addresses, handler, log,
        HttpServer::Hooks{.before_threads = [&](const auto& /*bound*/) { before_threads({}); }});
    return;
  }
  front_ = std::make_unique<TlsFront>(
      addresses, [settings] { return settings->current()->tls; },
      clients_by_descriptors(HttpServer::most_clients, TlsFront::descriptors_of_a_client), log);
  const TlsFront& front = *front_;
  http_ = std::make_unique<HttpServer>(
      std::vector<ListenAddress>{{.host = "127.0.0.1", .port = 0}}, handler, log,
      HttpServer::Hooks{
          .before_threads = [&](const auto& bound) { before_threads({bound.front().port}); },
          .admits = [&front](const std::string& address,
                             int port) { return front.is_own(address, port); },
          .descriptors_of_a_client = TlsFront::descriptors_of_a_client});
  front_->start(http_->addresses().front().port);
}

std::vector<ListenAddress> Server::addresses() const {
  return front_ != nullptr ? front_->addresses() : http_->addresses();
}

void Server::stop() {
  if (front_ != nullptr) {
    front_->stop_listening();
  }
  http_->stop();
  if (front_ != nullptr) {
    front_->stop();
  }
}

}  // namespace inetdiag
