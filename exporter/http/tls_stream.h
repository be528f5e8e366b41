#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "exporter/http/client_stream.h"

namespace inetdiag {

/// The server side of a TLS connection.
class TlsStream : public ClientStream {
 public:
  /// Throws std::runtime_error if OpenSSL cannot create a connection.
  TlsStream(std::shared_ptr<SSL_CTX> context, int fd);

  IoStatus handshake() override;
  std::string handshake_error() const override { return handshake_error_; }
  std::string_view rejection_response() const override;
  IoResult read(std::span<char> buffer) override;
  IoResult write(std::string_view bytes) override;
  /// Sends close_notify, which lets the client detect truncation.
  IoStatus close() override;

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  IoStatus status_of(int result);
  IoResult io_result(int result);
  void set_handshake_error();

  std::shared_ptr<SSL_CTX> context_;  ///< also owns the data of its callbacks
  std::unique_ptr<SSL, Free> ssl_;
  std::string handshake_error_;
  bool is_plain_http_ = false;
};

}  // namespace inetdiag
