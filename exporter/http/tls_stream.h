#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "exporter/http/client_stream.h"

namespace inetdiag {

/// The server's side of a TLS connection.
class TlsStream : public ClientStream {
 public:
  /// Throws std::runtime_error that says why there is none.
  TlsStream(std::shared_ptr<SSL_CTX> context, int fd);

  Step open() override;
  std::string failure() const override { return failure_; }
  std::string_view rejection_response() const override;
  Taken read(std::span<char> buffer) override;
  Taken write(std::string_view bytes) override;
  /// Without it the client could not tell a whole answer from one that was cut.
  Step close() override;

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  Step step_of(int result);
  void tell_failure();

  std::shared_ptr<SSL_CTX> context_;  ///< which also holds what its callbacks read
  std::unique_ptr<SSL, Free> ssl_;
  std::string failure_;
  bool client_speaks_http_ = false;
};

}  // namespace inetdiag
