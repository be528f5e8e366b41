#pragma once

#include <functional>
#include <memory>
#include <string>

#include <openssl/types.h>

#include "exporter/web_config/web_config.h"

namespace inetdiag {

/// Makes what TLS connections are opened with. `read_file` yields the bytes of a path, or throws.
/// Throws std::runtime_error that says what is wrong with which file.
std::shared_ptr<SSL_CTX> make_tls_context(
    const TlsConfig& config, const std::function<std::string(const std::string& path)>& read_file);

/// Why OpenSSL's last call of this thread failed; forgets it.
std::string tls_error();

}  // namespace inetdiag
