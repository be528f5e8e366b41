#pragma once

#include <chrono>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "collectors/kernel/netlink/netlink.h"
#include "exporter/commands/host_paths.h"
#include "exporter/diagnosis/status.h"
#include "exporter/log/log.h"
#include "exporter/scrape/scraper.h"

namespace inetdiag {

enum class CheckFormat { text, json };

/// The exit status if the state of the host is unknown: a collector or the command itself failed.
inline constexpr int check_exit_unknown = 3;

struct CheckOptions {
  HostPaths paths{};
  std::vector<NamedCollector> collectors{};
  double interval_seconds = 1;
  std::optional<double> watch_seconds{};  ///< repeats the check at this interval
  CheckFormat format = CheckFormat::text;
  bool peers = false;  ///< also show the peers of the ports that have a finding
};

inline constexpr std::chrono::seconds check_snapshot_timeout{10};

/// Returns 0 for no findings or notices, 1 for a warning, 2 for a critical finding, 3 if the status
/// is incomplete.
int check_exit_status(const diagnosis::Status& status);

/// Runs `inetdiag_exporter check` and returns its exit status.
int run_check(CheckOptions options, const Log& log);

/// Takes two snapshots an interval apart and writes the diagnosis to `out`. Peers are dumped with
/// `open`. Returns the exit status.
int check(Scraper& scraper, const kernel::NetlinkFactory& open, const CheckOptions& options,
          std::ostream& out, bool use_color);

}  // namespace inetdiag
