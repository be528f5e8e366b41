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

/// What `Authorization: Basic ...` holds (RFC 7617), or nothing where it is anything else.
std::optional<Credentials> parse_basic_auth(std::string_view header);

/// Holds passwords against bcrypt hashes. One that was right is remembered, as a keyed hash, so
/// that not every scrape pays for bcrypt; guesses are never remembered and push nothing out.
class PasswordCheck {
 public:
  enum class Answer {
    right,
    wrong,
    busy,  ///< so many are being compared that one more would keep others waiting
  };

  /// A quarter of the clients that are held: at a cost of 10 the last of them waits for some
  /// seconds, so that who is not remembered yet gets through a crowd of guesses.
  static constexpr unsigned default_max_comparing = 64;

  explicit PasswordCheck(unsigned max_comparing = default_max_comparing);

  /// An unknown user costs as much time as a wrong password. `users` has names and bcrypt hashes.
  Answer check(const std::map<std::string, std::string>& users, const Credentials& given);

  static constexpr std::size_t max_remembered = 100;

 private:
  using Digest = std::array<unsigned char, 32>;

  Digest digest_of(const Credentials& given, const std::string& hash) const;

  const unsigned max_comparing_;
  std::array<unsigned char, 32> key_{};
  std::mutex mutex_;
  std::mutex one_at_a_time_;  ///< bcrypt is there to take time, but not that of all CPUs
  std::atomic<unsigned> comparing_ = 0;
  std::set<Digest> right_;
};

}  // namespace inetdiag
