#include "exporter/http/web_server.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "exporter/http/client_limit.h"
#include "exporter/http/listen_socket.h"
#include "exporter/http/plain_stream.h"
#include "exporter/http/tls_stream.h"

namespace inetdiag {
namespace {

TlsProxy::StreamFactory stream_factory(const std::shared_ptr<WebConfigWatcher>& web_config,
                                       bool has_tls) {
  if (has_tls) {
    return [web_config](int fd) {
      return std::make_unique<TlsStream>(web_config->current()->tls, fd);
    };
  }
  return [](int fd) { return std::make_unique<PlainStream>(fd); };
}

}  // namespace

WebServer::WebServer(const std::vector<ListenAddress>& addresses,
                     std::vector<kernel::UniqueFd> passed, const HttpHandler& handler,
                     const std::shared_ptr<WebConfigWatcher>& web_config,
                     const BeforeThreads& before_threads, const Log& log)
    : has_tls_(web_config != nullptr && web_config->current()->tls != nullptr) {
  std::vector<ListenAddress> direct;
  std::vector<kernel::UniqueFd> proxied = std::move(passed);
  for (const ListenAddress& address : addresses) {
    if (has_tls_ || address.is_ipv6() || address.is_unix()) {
      proxied.push_back(listen_on(address));
    } else {
      direct.push_back(address);
    }
  }
  HttpServer::Hooks hooks;
  if (proxied.empty()) {
    hooks.before_threads = [&](const auto& /*bound*/) { before_threads({}); };
    http_ = std::make_unique<HttpServer>(direct, handler, log, std::move(hooks));
    return;
  }
  const std::size_t proxied_sockets = proxied.size();
  proxy_ = std::make_unique<TlsProxy>(
      std::move(proxied), stream_factory(web_config, has_tls_),
      max_clients_for_descriptors(
          HttpServer::max_clients, TlsProxy::descriptors_per_client,
          proxied_sockets + HttpServer::descriptors_per_address * (direct.size() + 1)),
      log);
  direct.insert(direct.begin(), {.host = "127.0.0.1", .port = 0});
  hooks.before_threads = [&](const std::vector<ListenAddress>& bound) {
    upstream_port_ = bound.front().port;
    if (std::ranges::count(bound, upstream_port_, &ListenAddress::port) > 1) {
      throw std::runtime_error(
          "the kernel chose a port of --web.listen-address for internal use; start again");
    }
    before_threads({upstream_port_});
  };
  hooks.client_for_connection = [this](const std::string& address, int port, int server_port) {
    return server_port == upstream_port_ ? proxy_->client_for_connection(address, port)
                                         : HttpServer::client_name(address, port);
  };
  hooks.descriptors_per_client = TlsProxy::descriptors_per_client;
  hooks.other_listening = proxied_sockets;
  http_ = std::make_unique<HttpServer>(direct, handler, log, std::move(hooks));
  proxy_->start(upstream_port_);
}

std::vector<ListenAddress> WebServer::addresses() const {
  std::vector<ListenAddress> all = http_->addresses();
  if (proxy_ != nullptr) {
    all.erase(all.begin());
    const auto proxied = proxy_->addresses();
    all.insert(all.end(), proxied.begin(), proxied.end());
  }
  return all;
}

void WebServer::stop() {
  if (proxy_ != nullptr) {
    proxy_->stop_listening();
  }
  http_->stop();
  if (proxy_ != nullptr) {
    proxy_->stop();
  }
}

}  // namespace inetdiag
