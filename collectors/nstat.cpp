#include "collectors/nstat.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "collectors/kernel/proc/counter_file.h"
#include "collectors/nstat_descriptions.h"
#include "collectors/support/family.h"

namespace inetdiag {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

/// promtool rejects a word that is one of these letters as an abbreviated unit, so
/// MPJoinAckHMacFailure becomes ..._hmac_failure.
bool is_unit(std::string_view word) {
  return word.size() == 1 && std::string_view("bdhms").find(word) != std::string_view::npos;
}

/// All others are counters (net/ipv4/proc.c, net/mptcp/mib.c).
constexpr std::array<std::string_view, 8> gauges = {
    "TcpRtoAlgorithm", "TcpRtoMin",    "TcpRtoMax",    "TcpMaxConn",
    "TcpCurrEstab",    "IpForwarding", "IpDefaultTTL", "MPTcpExtMPCurrEstab",
};

bool is_gauge(std::string_view kernel_name) { return std::ranges::count(gauges, kernel_name) > 0; }

/// UDP-Lite was removed from the kernel, and its counters are practically always 0.
bool is_udplite(std::string_view group) { return group.starts_with("UdpLite"); }

struct File {
  std::string_view path;
  void (*parse)(std::string_view text, const kernel::EachCounter& each);
};
constexpr std::array<File, 3> files = {{
    {"net/snmp", kernel::parse_counter_pairs},
    {"net/netstat", kernel::parse_counter_pairs},
    {"net/snmp6", kernel::parse_counter_lines},
}};

std::string help_of(std::string_view kernel_name, std::string_view path) {
  std::string help(kernel_name);
  if (const auto description = nstat_description(kernel_name); !description.empty()) {
    help.append(": ").append(description);
  }
  return help.append(" (/proc/").append(path).append(").");
}

/// The metric of a counter, kept between scrapes.
struct Descriptor {
  std::string kernel_name;
  std::string metric{};  ///< empty: not exported
  std::string help{};
  bool gauge = false;
  /// The last scrape that exported it: a file may contain a name twice.
  std::uint64_t last_scrape = 0;
};

class Nstat final : public Collector {
 public:
  explicit Nstat(const Settings& settings)
      : include_(settings.regex("include")), exclude_(settings.regex("exclude")) {}

  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    ++scrape_;
    position_ = 0;
    collection.families.reserve(descriptors_.size());
    for (const File& file : files) {
      try {
        // net/snmp6 is absent without IPv6.
        if (const auto text = context.proc.read(file.path)) {
          file.parse(*text, [&](const kernel::Counter& counter) {
            add(counter, file.path, context.namespace_created, collection.families);
          });
        }
      } catch (const std::exception& error) {
        collection.errors.emplace_back(error.what());
      }
    }
    if (collection.families.empty() && collection.errors.empty() && !include_ && !exclude_) {
      collection.errors.emplace_back("no counters in net/snmp and net/netstat below --path.procfs");
    }
    if (collection.errors.empty() && !descriptors_.empty() && !context.is_other_namespace) {
      report_unmatched(collection);
    }
    return collection;
  }

 private:
  void report_unmatched(Collection& collection) const {
    constexpr const char* problem =
        "matches no counter; a kernel name looks like TcpExtListenDrops";
    if (include_ && !has_include_match_) {
      collection.unmatched.emplace_back("include", problem);
    } else if (exclude_ && !has_exclude_match_) {
      collection.unmatched.emplace_back("exclude", problem);
    }
  }

  void add(const kernel::Counter& counter, std::string_view path, CreatedTime created,
           std::vector<prometheus::MetricFamily>& families) {
    Descriptor& descriptor = describe(counter, path);
    if (descriptor.metric.empty() || descriptor.last_scrape == scrape_) {
      return;
    }
    descriptor.last_scrape = scrape_;
    auto& family = families.emplace_back(descriptor.gauge
                                             ? gauge_family(descriptor.metric, descriptor.help)
                                             : counter_family(descriptor.metric, descriptor.help));
    add_series(family, {}, counter.value, created);
  }

  /// Returns the descriptor at the same position of the previous scrape if it is of this counter:
  /// the kernel does not change their order.
  Descriptor& describe(const kernel::Counter& counter, std::string_view path) {
    kernel_name_.assign(counter.group).append(counter.name);
    if (position_ == in_order_.size()) {
      in_order_.push_back(nullptr);
    }
    Descriptor*& expected = in_order_[position_++];
    if (expected == nullptr || expected->kernel_name != kernel_name_) {
      expected = &find_or_make(path, counter);
    }
    return *expected;
  }

  Descriptor& find_or_make(std::string_view path, const kernel::Counter& counter) {
    const auto known = descriptors_.find(kernel_name_);
    if (known != descriptors_.end()) {
      return known->second;
    }
    Descriptor descriptor{.kernel_name = kernel_name_};
    std::string metric = nstat_metric_name(counter.group, counter.name);
    const bool gauge = is_gauge(kernel_name_);
    metric.append(gauge ? "" : "_total");
    if (is_exported(counter.group) && metrics_.insert(metric).second) {
      descriptor.metric = std::move(metric);
      descriptor.help = help_of(kernel_name_, path);
      descriptor.gauge = gauge;
    }
    return descriptors_.emplace(kernel_name_, std::move(descriptor)).first->second;
  }

  bool is_exported(std::string_view group) {
    const bool is_name = std::ranges::all_of(
        kernel_name_, [](char c) { return is_lower(lower(c)) || is_digit(c) || c == '_'; });
    if (!is_name || is_udplite(group) || (include_ && !include_->matches(kernel_name_))) {
      return false;
    }
    has_include_match_ = true;
    const bool is_excluded = exclude_ && exclude_->matches(kernel_name_);
    has_exclude_match_ |= is_excluded;
    return !is_excluded;
  }

  std::optional<kernel::Regex> include_;
  std::optional<kernel::Regex> exclude_;
  bool has_include_match_ = false;
  bool has_exclude_match_ = false;
  std::unordered_map<std::string, Descriptor> descriptors_;  ///< its elements do not move
  std::vector<Descriptor*> in_order_;                        ///< of the counters of a scrape
  std::size_t position_ = 0;                                 ///< in in_order_
  std::unordered_set<std::string> metrics_;  ///< two kernel names can have the same metric name
  std::string kernel_name_;
  std::uint64_t scrape_ = 0;
};

}  // namespace

std::string nstat_metric_name(std::string_view group, std::string_view name) {
  std::string metric = "inetdiag_nstat_";
  std::ranges::transform(group, std::back_inserter(metric), lower);
  metric.push_back('_');
  std::size_t word = metric.size();
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char before = i > 0 ? name[i - 1] : '\0';
    const char after = i + 1 < name.size() ? name[i + 1] : '\0';
    const bool begins_word =
        is_lower(before) || is_digit(before) || (is_upper(before) && is_lower(after));
    if (is_upper(name[i]) && begins_word && !is_unit(std::string_view(metric).substr(word))) {
      metric.push_back('_');
      word = metric.size();
    }
    metric.push_back(lower(name[i]));
  }
  return metric;
}

std::unique_ptr<Collector> make_nstat(const Settings& settings) {
  return std::make_unique<Nstat>(settings);
}

}  // namespace inetdiag
