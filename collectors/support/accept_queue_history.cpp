#include "collectors/support/accept_queue_history.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace inetdiag {
namespace {

struct EndpointQueue {
  double fill = 0;  ///< of the fullest socket
  std::uint64_t waiting = 0;
};

}  // namespace

void AcceptQueueHistory::resume(Clock::time_point now) {
  counted_until_ = now;
  last_sample_.reset();
  trends_.clear();
}

void AcceptQueueHistory::add(Clock::time_point now, std::span<const kernel::AcceptQueue> waiting) {
  std::map<kernel::Endpoint, EndpointQueue> queues;
  std::unordered_map<std::uint64_t, Trend> trends;
  for (const kernel::AcceptQueue& socket : waiting) {
    EndpointQueue& queue = queues[socket.endpoint];
    queue.fill = std::max(queue.fill, socket.fill());
    queue.waiting += socket.waiting;
    const auto before = trends_.find(socket.cookie);
    Trend trend = before == trends_.end() ? Trend{.empty_at = last_sample_} : before->second;
    if (socket.waiting < trend.waiting) {
      trend.fallen_at = now;
    }
    trend.waiting = socket.waiting;
    trends.emplace(socket.cookie, trend);
  }
  trends_ = std::move(trends);

  for (const auto& [endpoint, queue] : queues) {
    const auto known = entries_.find(endpoint);
    if (known == entries_.end() && entries_.size() >= max_listeners) {
      continue;
    }
    Entry& entry = known == entries_.end()
                       ? entries_.emplace(endpoint, Entry{.first_sample = count_}).first->second
                       : known->second;
    const auto* const bound = std::ranges::lower_bound(AcceptQueueSamples::bounds, queue.fill);
    ++entry.samples.by_fill.at(
        static_cast<std::size_t>(bound - AcceptQueueSamples::bounds.begin()));
    entry.samples.fill_sum += queue.fill;
    entry.samples.waiting_time += static_cast<double>(queue.waiting) * (now - counted_until_);
    entry.fill.add(now, queue.fill);
  }
  is_sampled_.add(now, 1);
  ++count_;
  counted_until_ = now;
  last_sample_ = now;
}

void AcceptQueueHistory::keep_only(std::span<const kernel::Listener> open) {
  std::set<kernel::Endpoint> endpoints;
  for (const kernel::Listener& listener : open) {
    if (entries_.contains(listener.endpoint)) {
      endpoints.insert(listener.endpoint);
    }
  }
  std::erase_if(entries_, [&](const auto& entry) { return !endpoints.contains(entry.first); });
}

AcceptQueueHistory::Samples AcceptQueueHistory::samples(Clock::time_point now) const {
  Samples result;
  const auto is_sampled = is_sampled_.by_slot(now);
  for (const auto& [endpoint, entry] : entries_) {
    AcceptQueueSamples& samples = result.emplace(endpoint, entry.samples).first->second;
    std::uint64_t not_empty = 0;
    for (const std::uint64_t count : entry.samples.by_fill) {
      not_empty += count;
    }
    samples.by_fill.front() = count_ - entry.first_sample - not_empty;
    const auto fill = entry.fill.by_slot(now);
    samples.peak_fill = std::ranges::max(fill);
    if (samples.peak_fill > 0) {
      std::ranges::transform(fill, is_sampled, std::back_inserter(samples.recent_fill),
                             [](double ratio, double sampled) {
                               return sampled > 0 ? std::optional(ratio) : std::nullopt;
                             });
    }
  }
  return result;
}

bool AcceptQueueHistory::was_empty(std::uint64_t cookie, Clock::time_point time) const {
  const auto trend = trends_.find(cookie);
  return (trend == trends_.end() ? last_sample_ : trend->second.empty_at) > time;
}

bool AcceptQueueHistory::has_fallen(std::uint64_t cookie, Clock::time_point time) const {
  const auto trend = trends_.find(cookie);
  return was_empty(cookie, time) || (trend != trends_.end() && trend->second.fallen_at > time);
}

}  // namespace inetdiag
