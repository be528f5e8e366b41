#include "collectors/support/listen_drop_shares.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "collectors/support/endpoint_groups.h"

namespace inetdiag {
namespace {

std::uint64_t subtract_or_zero(std::uint64_t from, std::uint64_t amount) {
  return from > amount ? from - amount : 0;
}

/// Gives each amount what the other amounts leave of `total`. Returns the rest of `total`.
std::uint64_t share_out(std::uint64_t total, std::span<const std::uint64_t> amounts,
                        std::span<std::uint64_t> shares) {
  const auto sum = std::accumulate(amounts.begin(), amounts.end(), std::uint64_t{0});
  for (std::size_t i = 0; i < amounts.size(); ++i) {
    shares[i] += std::min(amounts[i], subtract_or_zero(total, sum - amounts[i]));
  }
  return subtract_or_zero(total, sum);
}

/// Allows for the variation of a count around its expected value: three standard deviations of a
/// Poisson distribution.
std::uint64_t upper_bound(double expected) {
  constexpr double deviations = 3;
  return static_cast<std::uint64_t>(std::ceil(expected + deviations * std::sqrt(expected)));
}

}  // namespace

std::vector<std::uint64_t> listen_drop_shares(std::uint64_t listen_drops,
                                              std::span<const ListenDropCandidate> candidates) {
  std::vector<std::uint64_t> shares(candidates.size());
  std::vector<std::uint64_t> amounts(candidates.size());
  std::ranges::transform(candidates, amounts.begin(), [](const ListenDropCandidate& candidate) {
    return candidate.has_full_queue ? candidate.growth : 0;
  });
  const std::uint64_t rest = share_out(listen_drops, amounts, shares);
  std::ranges::transform(candidates, amounts.begin(), [](const ListenDropCandidate& candidate) {
    return candidate.has_full_queue ? 0
                                    : subtract_or_zero(candidate.growth, candidate.expected_other);
  });
  share_out(rest, amounts, shares);
  const auto has_grown = [](const ListenDropCandidate& candidate) { return candidate.growth > 0; };
  if (std::ranges::count_if(candidates, has_grown) == 1) {
    const auto only = std::ranges::find_if(candidates, has_grown) - candidates.begin();
    shares[static_cast<std::size_t>(only)] =
        std::min(candidates[static_cast<std::size_t>(only)].growth, listen_drops);
  }
  return shares;
}

std::vector<ListenDropCounters::Share> ListenDropCounters::update(
    std::span<const Listener> listeners, ListenDrops listen_drops, Clock::time_point now) {
  const bool has_previous = previous_listen_drops_.has_value();
  const std::uint64_t previous = previous_listen_drops_.value_or(listen_drops.after);
  const std::uint64_t growth = subtract_or_zero(listen_drops.before, previous);
  const std::uint64_t max_growth = subtract_or_zero(listen_drops.after, previous);
  const double seconds = std::chrono::duration<double>(now - updated_at_).count();
  for (auto& [endpoint, state] : states_) {
    state.is_present = false;
  }
  std::vector<ListenDropCandidate> candidates;
  candidates.reserve(listeners.size());
  for (const Listener& listener : listeners) {
    State& state = states_[listener.endpoint];
    if (listener.drops == listener.growth) {
      state.total = 0;  // DropCounters evicted it in the meantime
    }
    // A listener with more drops than the namespace has listen drops had others, at least these.
    const std::uint64_t expected = state.other_per_second
                                       ? upper_bound(*state.other_per_second * seconds)
                                       : 2 * subtract_or_zero(listener.drops, listen_drops.after);
    candidates.push_back({.growth = listener.growth,
                          .expected_other = expected,
                          .has_full_queue = listener.has_full_queue || state.had_full_queue});
  }
  const std::vector<std::uint64_t> shares = has_previous
                                                ? listen_drop_shares(growth, candidates)
                                                : std::vector<std::uint64_t>(candidates.size());
  std::vector<Share> updated;
  updated.reserve(listeners.size());
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    State& state = states_[listeners[i].endpoint];
    state.total += shares[i];
    state.had_full_queue = listeners[i].has_full_queue;
    state.is_present = true;
    if (has_previous && seconds > 0) {
      learn(state, static_cast<double>(subtract_or_zero(listeners[i].growth, max_growth)), seconds,
            max_growth == 0);
    }
    updated.push_back({state.total, shares[i]});
  }
  std::erase_if(states_, [](const auto& entry) {
    return !entry.second.is_present && entry.second.total == 0;
  });
  while (states_.size() > listeners.size() + max_absent_endpoints) {
    states_.erase(std::ranges::find(states_, false,
                                    [](const auto& entry) { return entry.second.is_present; }));
  }
  previous_listen_drops_ = listen_drops.after;
  updated_at_ = now;
  return updated;
}

void ListenDropCounters::learn(State& state, double other, double seconds, bool is_exact) {
  constexpr double weight = 0.3;
  const double rate = other / seconds;
  if (!state.other_per_second) {
    if (is_exact || other > 0) {
      state.other_per_second = rate;
    }
  } else if (is_exact || rate > *state.other_per_second) {
    *state.other_per_second += weight * (rate - *state.other_per_second);
  }
}

}  // namespace inetdiag
