#include "exporter/http/tls_stream.h"

#include <stdexcept>
#include <utility>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <poll.h>

#include "exporter/web_config/tls_context.h"

namespace inetdiag {
namespace {

constexpr std::string_view plain_http_answer =
    "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: "
    "close\r\n\r\n"
    "Client sent an HTTP request to an HTTPS server.\n";

}  // namespace

TlsStream::TlsStream(std::shared_ptr<SSL_CTX> context, int fd)
    : context_(std::move(context)), ssl_(SSL_new(context_.get())) {
  if (!ssl_ || SSL_set_fd(ssl_.get(), fd) != 1) {
    throw std::runtime_error(tls_error());
  }
}

/// What OpenSSL's `result` means.
Step TlsStream::step_of(int result) {
  if (result > 0) {
    return Step::done;
  }
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return wait_for(POLLIN);
    case SSL_ERROR_WANT_WRITE:
      return wait_for(POLLOUT);
    default:
      return Step::failed;
  }
}

Step TlsStream::open() {
  ERR_clear_error();
  const Step step = step_of(SSL_accept(ssl_.get()));
  if (step == Step::failed) {
    tell_failure();
  }
  return step;
}

void TlsStream::tell_failure() {
  if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) {
    client_speaks_http_ = true;
    failure_ = "plain HTTP where TLS is spoken";
  } else if (ERR_peek_error() != 0) {
    const long verified = SSL_get_verify_result(ssl_.get());
    failure_ = verified == X509_V_OK
                   ? tls_error()
                   : std::string("client certificate: ") + X509_verify_cert_error_string(verified);
  }
}

std::string_view TlsStream::rejection_response() const {
  // Others have been sent an alert.
  return client_speaks_http_ ? plain_http_answer : std::string_view();
}

ClientStream::Taken TlsStream::read(std::span<char> buffer) {
  ERR_clear_error();
  const int n = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
  const Step step = step_of(n);
  return {step, step == Step::done ? static_cast<std::size_t>(n) : 0};
}

ClientStream::Taken TlsStream::write(std::string_view bytes) {
  ERR_clear_error();
  const int n = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  const Step step = step_of(n);
  return {step, step == Step::done ? static_cast<std::size_t>(n) : 0};
}

Step TlsStream::close() {
  ERR_clear_error();
  const int result = SSL_shutdown(ssl_.get());
  // 0: told, and not yet answered, which nobody waits for.
  return result == 0 ? Step::done : step_of(result);
}

}  // namespace inetdiag
