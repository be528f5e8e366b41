#include "exporter/http/web_server.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "exporter/http/client_limit.h"
#include "exporter/http/plain_stream.h"
#include "exporter/http/tls_stream.h"

namespace inetdiag {
namespace {

TlsProxy::StreamSource streams(const std::shared_ptr<WebConfigWatcher>& settings, bool has_tls) {
  if (has_tls) {
    return [settings](int fd) { return std::make_unique<TlsStream>(settings->current()->tls, fd); };
  }
  return [](int fd) { return std::make_unique<PlainStream>(fd); };
}

}  // namespace

Server::Server(const std::vector<ListenAddress>& addresses, const HttpHandler& handler,
               const std::shared_ptr<WebConfigWatcher>& settings,
               const BeforeThreads& before_threads, const Log& log)
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
  front_ = std::make_unique<TlsProxy>(
      fronted, streams(settings, has_tls_),
      max_clients_for_descriptors(
          HttpServer::max_clients, TlsProxy::descriptors_per_client,
          fronted.size() + HttpServer::descriptors_per_address * (direct.size() + 1)),
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
  hooks.client_for_connection = [this](const std::string& address, int port, int server_port) {
    return server_port == inner_port_ ? front_->client_for_connection(address, port)
                                      : HttpServer::client_name(address, port);
  };
  hooks.descriptors_per_client = TlsProxy::descriptors_per_client;
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
