#include "exporter/http/basic_auth.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <stdexcept>
#include <vector>

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

namespace inetdiag {
namespace {

constexpr std::size_t max_header_bytes = 4096;

std::optional<std::string> from_base64(std::string_view text) {
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
  // Not crypt_r: sanitizers' libraries have a symbol of that name, for which linkers leave out
  // libcrypt.
  const char* made = crypt_rn(password.c_str(), hash.c_str(), data.get(), sizeof *data);
  const std::string_view result = made != nullptr ? made : "";
  const bool same =
      result.size() == hash.size() && CRYPTO_memcmp(result.data(), hash.data(), hash.size()) == 0;
  OPENSSL_cleanse(data.get(), sizeof *data);
  return same;
}

class Counted {
 public:
  explicit Counted(std::atomic<unsigned>& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::atomic<unsigned>& count_;
};

/// The one that takes the longest: its cost stands behind `$2y$`.
const std::string& costliest(const std::map<std::string, std::string>& users) {
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
  const auto text = from_base64(header);
  const auto colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    return std::nullopt;
  }
  return Credentials{text->substr(0, colon), text->substr(colon + 1)};
}

PasswordCheck::PasswordCheck(unsigned max_comparing) : max_comparing_(max_comparing) {
  // Not OpenSSL's: to begin with it takes time and memory, which nobody needs without passwords.
  if (::getrandom(key_.data(), key_.size(), 0) != static_cast<ssize_t>(key_.size())) {
    throw std::runtime_error("the system yields no random numbers");
  }
}

PasswordCheck::Answer PasswordCheck::check(const std::map<std::string, std::string>& users,
                                           const Credentials& given) {
  const auto user = users.find(given.user);
  const bool is_known = user != users.end();
  const std::string& hash = is_known ? user->second : costliest(users);
  const Digest digest = digest_of(given, hash);
  {
    const std::lock_guard lock(mutex_);
    if (is_known && right_.contains(digest)) {
      return Answer::right;
    }
  }
  const Counted counted(comparing_);
  if (comparing_ > max_comparing_) {
    return Answer::busy;
  }
  // crypt() would take a password with a NUL for its beginning.
  const bool is_whole = given.password.find('\0') == std::string::npos;
  bool is_right = false;
  {
    const std::lock_guard lock(one_at_a_time_);
    is_right = is_match(given.password, hash) && is_known && is_whole;
  }
  const std::lock_guard lock(mutex_);
  if (is_right) {
    if (right_.size() >= max_remembered) {
      right_.clear();
    }
    right_.insert(digest);
  }
  return is_right ? Answer::right : Answer::wrong;
}

PasswordCheck::Digest PasswordCheck::digest_of(const Credentials& given,
                                               const std::string& hash) const {
  // A hash has a fixed length, and a user has no colon.
  const std::string text = hash + given.user + ":" + given.password;
  Digest digest{};
  if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
           nullptr) == nullptr) {
    throw std::runtime_error("OpenSSL cannot compute HMAC-SHA-256");
  }
  return digest;
}

}  // namespace inetdiag
