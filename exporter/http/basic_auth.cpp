#include "exporter/http/basic_auth.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "collectors/kernel/base/random.h"

namespace inetdiag {
namespace {

constexpr std::size_t max_header_bytes = 4096;

std::optional<std::string> decode_base64(std::string_view text) {
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const auto is_digit = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '+' || c == '/';
  };
  if (text.size() % 4 != 0 ||
      !std::ranges::all_of(text.substr(0, text.size() - padding), is_digit)) {
    return std::nullopt;
  }
  std::vector<unsigned char> bytes(text.size() / 4 * 3);
  if (EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size())) != static_cast<int>(bytes.size())) {
    return std::nullopt;
  }
  bytes.resize(bytes.size() - padding);
  return std::string(bytes.begin(), bytes.end());
}

bool is_match(const std::string& password, const std::string& hash) {
  const auto data = std::make_unique<crypt_data>();
  // Not crypt_r(): the sanitizers also define it, so the linker would drop libcrypt.
  const char* computed = crypt_rn(password.c_str(), hash.c_str(), data.get(), sizeof *data);
  const std::string_view result = computed != nullptr ? computed : "";
  const bool is_equal =
      result.size() == hash.size() && CRYPTO_memcmp(result.data(), hash.data(), hash.size()) == 0;
  OPENSSL_cleanse(data.get(), sizeof *data);
  return is_equal;
}

class ScopedIncrement {
 public:
  explicit ScopedIncrement(std::atomic<unsigned>& count) : count_(count) { ++count_; }
  ScopedIncrement(const ScopedIncrement&) = delete;
  ScopedIncrement& operator=(const ScopedIncrement&) = delete;
  ~ScopedIncrement() { --count_; }

 private:
  std::atomic<unsigned>& count_;
};

/// Returns the hash with the highest cost. The cost follows `$2y$`.
const std::string& costliest_hash(const std::map<std::string, std::string>& users) {
  constexpr std::size_t cost_at = 4;
  return std::ranges::max_element(
             users, {},
             [](const auto& user) { return std::string_view(user.second).substr(cost_at, 2); })
      ->second;
}

}  // namespace

std::optional<Credentials> parse_basic_auth(std::string_view header) {
  constexpr std::string_view scheme = "basic ";
  const auto is_same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  };
  if (header.size() > max_header_bytes ||
      !std::ranges::equal(header.substr(0, scheme.size()), scheme, is_same)) {
    return std::nullopt;
  }
  header.remove_prefix(std::min(header.find_first_not_of(' ', scheme.size()), header.size()));
  const auto text = decode_base64(header);
  const auto colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    return std::nullopt;
  }
  return Credentials{text->substr(0, colon), text->substr(colon + 1)};
}

PasswordVerifier::Result PasswordVerifier::verify(const std::map<std::string, std::string>& users,
                                                  const Credentials& credentials) {
  const auto user = users.find(credentials.user);
  const bool is_known = user != users.end();
  const std::string& hash = is_known ? user->second : costliest_hash(users);
  const std::optional<Digest> digest = digest_of(credentials, hash);
  if (digest) {
    const std::lock_guard lock(cache_mutex_);
    if (is_known && cache_.contains(*digest)) {
      return Result::match;
    }
  }
  const ScopedIncrement counted(concurrent_);
  if (concurrent_ > max_concurrent_) {
    return Result::busy;
  }
  // crypt() stops at a NUL.
  const bool has_nul = credentials.password.find('\0') != std::string::npos;
  bool is_valid = false;
  {
    const std::lock_guard lock(bcrypt_mutex_);
    is_valid = is_match(credentials.password, hash) && is_known && !has_nul;
  }
  if (!is_valid) {
    return Result::mismatch;
  }
  if (digest) {
    const std::lock_guard lock(cache_mutex_);
    if (cache_.size() >= max_cached) {
      cache_.clear();
    }
    cache_.insert(*digest);
  }
  return Result::match;
}

bool PasswordVerifier::has_key() {
  const std::lock_guard lock(cache_mutex_);
  // Not RAND_bytes(): it waits for entropy, and its initialization costs time and memory.
  has_key_ = has_key_ || kernel::try_random_bytes(std::as_writable_bytes(std::span(key_)));
  return has_key_;
}

std::optional<PasswordVerifier::Digest> PasswordVerifier::digest_of(const Credentials& credentials,
                                                                    const std::string& hash) {
  if (!has_key()) {
    return std::nullopt;
  }
  // Unambiguous: a hash has a fixed length, and a user name has no colon.
  const std::string text = hash + credentials.user + ":" + credentials.password;
  Digest digest{};
  if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
           nullptr) == nullptr) {
    throw std::runtime_error("OpenSSL cannot compute HMAC-SHA-256");
  }
  return digest;
}

}  // namespace inetdiag
