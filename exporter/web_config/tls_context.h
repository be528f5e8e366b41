#pragma once

#include <functional>
#include <memory>
#include <string>

#include <openssl/types.h>

#include "exporter/web_config/web_config.h"

namespace inetdiag {

/// Creates the context of TLS connections. `read_file` returns the contents of a path, or throws.
/// Throws std::runtime_error with the name of the invalid file.
std::shared_ptr<SSL_CTX> make_tls_context(
    const TlsConfig& config, const std::function<std::string(const std::string& path)>& read_file);

/// Returns the file with the CA certificates of the system, as Go finds it; empty if there is none.
std::string system_ca_file();

/// Returns the reason of this thread's last OpenSSL error, and clears it.
std::string tls_error();

}  // namespace inetdiag
