#include "exporter/server.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "exporter/client_limit.h"
#include "exporter/plain_stream.h"
#include "exporter/tls_stream.h"

namespace inetdiag {
namespace {

Front::StreamSource streams(const std::shared_ptr<WebSettings>& settings, bool has_tls) {
  if (has_tls) {
    return [settings](int fd) { return std::make_unique<TlsStream>(settings->current()->tls, fd); };
  }
  return [](int fd) { return std::make_unique<PlainStream>(fd); };
}

}  // namespace

Server::Server(const std::vector<ListenAddress>& addresses, const HttpHandler& handler,
               const std::shared_ptr<WebSettings>& settings, const BeforeThreads& before_threads,
               const Log& log)
    : has_tls_(settings != nullptr && settings->current()->tls != nullptr) {
  std::vector<ListenAddress> direct;
  std::vector<ListenAddress> fronted;
  for (const ListenAddress& address : addresses) {
    (has_tls_ || address.is_ipv6() ? fronted : direct).push_back(address);
  }
  HttpServer::Hooks hooks;
  if (fronted.empty()) {
    hooks.before_threads = [&](const auto& /*bound*/) { before_threads({}); };
    http_ = std::make_unique<HttpServer>(direct, handler, log, std::move(hooks));
    return;
  }
  front_ = std::make_unique<Front>(
      fronted, streams(settings, has_tls_),
      clients_by_descriptors(
          HttpServer::most_clients, Front::descriptors_of_a_client,
          fronted.size() + HttpServer::descriptors_of_an_address * (direct.size() + 1)),
      log);
  direct.insert(direct.begin(), {.host = "127.0.0.1", .port = 0});
  hooks.before_threads = [&](const std::vector<ListenAddress>& bound) {
    inner_port_ = bound.front().port;
    if (std::ranges::count(bound, inner_port_, &ListenAddress::port) > 1) {
      throw std::runtime_error(
          "the kernel chose a port for use within the process that "
          "--web.listen-address names, too: start again");
    }
    before_threads({inner_port_});
  };
  hooks.client_of = [this](const std::string& address, int port, int server_port) {
    return server_port == inner_port_ ? front_->client_of(address, port)
                                      : HttpServer::client_at(address, port);
  };
  hooks.descriptors_of_a_client = Front::descriptors_of_a_client;
  hooks.other_listening = fronted.size();
  http_ = std::make_unique<HttpServer>(direct, handler, log, std::move(hooks));
  front_->start(inner_port_);
}

std::vector<ListenAddress> Server::addresses() const {
  std::vector<ListenAddress> all = http_->addresses();
  if (front_ != nullptr) {
    all.erase(all.begin());
    const auto fronted = front_->addresses();
    all.insert(all.end(), fronted.begin(), fronted.end());
  }
  return all;
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
