#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace inetdiag {

struct Credentials {
  std::string user;
  std::string password;
};

/// Parses the value of an `Authorization: Basic` header (RFC 7617). Returns nothing for any other.
std::optional<Credentials> parse_basic_auth(std::string_view header);

/// Verifies passwords against bcrypt hashes. Caches a correct password as a keyed hash: only the
/// first scrape needs bcrypt. Does not cache wrong passwords.
class PasswordVerifier {
 public:
  enum class Result {
    match,
    mismatch,
    busy,  ///< too many passwords are being verified
  };

  /// Less than HttpServer::threads: cached passwords are accepted during a flood of wrong ones.
  static constexpr unsigned default_max_concurrent = 12;
  static constexpr std::size_t max_cached = 100;

  explicit PasswordVerifier(unsigned max_concurrent = default_max_concurrent)
      : max_concurrent_(max_concurrent) {}

  /// An unknown user takes as long as a wrong password. `users` maps names to bcrypt hashes.
  Result verify(const std::map<std::string, std::string>& users, const Credentials& credentials);

 private:
  using Digest = std::array<unsigned char, 32>;

  bool has_key();
  /// Returns nothing early at boot, while there is no entropy for a key.
  std::optional<Digest> digest_of(const Credentials& credentials, const std::string& hash);

  const unsigned max_concurrent_;
  std::mutex cache_mutex_;
  std::array<unsigned char, 32> key_{};  ///< does not change once has_key_ is true
  bool has_key_ = false;
  std::mutex bcrypt_mutex_;  ///< limits bcrypt to one CPU
  std::atomic<unsigned> concurrent_ = 0;
  std::set<Digest> cache_;
};

}  // namespace inetdiag
