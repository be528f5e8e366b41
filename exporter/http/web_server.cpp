#include "exporter/http/web_server.h"

#include <utility>

#include "exporter/http/client_limit.h"
#include "exporter/http/listen_socket.h"
#include "exporter/http/plain_stream.h"
#include "exporter/http/tls_stream.h"

namespace inetdiag {
namespace {

ReverseProxy::StreamFactory stream_factory(const std::shared_ptr<WebConfigWatcher>& web_config,
                                           bool has_tls) {
  if (has_tls) {
    return [web_config](int fd) {
      return std::make_unique<TlsStream>(web_config->current()->tls, fd);
    };
  }
  return [](int fd) { return std::make_unique<PlainStream>(fd); };
}

std::vector<kernel::UniqueFd> listen_on_all(const std::vector<ListenAddress>& addresses,
                                            std::vector<kernel::UniqueFd> passed) {
  for (const ListenAddress& address : addresses) {
    passed.push_back(listen_on(address));
  }
  return passed;
}

}  // namespace

WebServer::WebServer(const std::vector<ListenAddress>& addresses,
                     std::vector<kernel::UniqueFd> passed, const HttpHandler& handler,
                     const std::shared_ptr<WebConfigWatcher>& web_config,
                     const std::function<void()>& before_threads, const Log& log)
    : has_tls_(web_config != nullptr && web_config->current()->tls != nullptr),
      limits_(client_limits(addresses.size() + passed.size())),
      proxy_(listen_on_all(addresses, std::move(passed)), stream_factory(web_config, has_tls_),
             limits_.clients, log),
      http_(handler, log, before_threads) {
  proxy_.start(http_.upstream(), limits_.connections);
}

void WebServer::stop() {
  proxy_.stop_listening();
  http_.stop();
  proxy_.stop();
}

}  // namespace inetdiag
