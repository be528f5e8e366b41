#include "exporter/http/tls_stream.h"

#include <stdexcept>
#include <utility>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <poll.h>

#include "exporter/web_config/tls_context.h"

namespace inetdiag {
namespace {

// The response of Go's net/http.
constexpr std::string_view plain_http_response =
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

IoStatus TlsStream::status_of(int result) {
  if (result > 0) {
    return IoStatus::ok;
  }
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return would_block_on(POLLIN);
    case SSL_ERROR_WANT_WRITE:
      return would_block_on(POLLOUT);
    default:
      return IoStatus::failed;
  }
}

IoResult TlsStream::io_result(int result) {
  const IoStatus status = status_of(result);
  return {status, status == IoStatus::ok ? static_cast<std::size_t>(result) : 0};
}

IoStatus TlsStream::handshake() {
  ERR_clear_error();
  const IoStatus status = status_of(SSL_accept(ssl_.get()));
  if (status == IoStatus::failed) {
    set_handshake_error();
  }
  return status;
}

void TlsStream::set_handshake_error() {
  if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) {
    is_plain_http_ = true;
    handshake_error_ = "client sent an HTTP request to an HTTPS server";
  } else if (ERR_peek_error() != 0) {
    const long verify_result = SSL_get_verify_result(ssl_.get());
    handshake_error_ =
        verify_result == X509_V_OK
            ? tls_error()
            : std::string("client certificate: ") + X509_verify_cert_error_string(verify_result);
  }
}

std::string_view TlsStream::rejection_response() const {
  // OpenSSL has sent a TLS alert to every other client.
  return is_plain_http_ ? plain_http_response : std::string_view();
}

IoResult TlsStream::read(std::span<char> buffer) {
  ERR_clear_error();
  return io_result(SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size())));
}

IoResult TlsStream::write(std::string_view bytes) {
  ERR_clear_error();
  return io_result(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())));
}

IoStatus TlsStream::close() {
  ERR_clear_error();
  const int result = SSL_shutdown(ssl_.get());
  // 0: close_notify has been sent. Do not wait for the client's.
  return result == 0 ? IoStatus::ok : status_of(result);
}

}  // namespace inetdiag
