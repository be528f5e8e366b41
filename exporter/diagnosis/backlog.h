// Which limit a listener's backlog comes from and how to raise it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "exporter/diagnosis/snapshot.h"

namespace inetdiag::diagnosis {

/// The origin of a backlog, which is min(argument of listen(), somaxconn at that time).
enum class BacklogLimit {
  program,           ///< the argument: the backlog is below somaxconn
  somaxconn,         ///< the backlog equals somaxconn
  former_somaxconn,  ///< the backlog exceeds somaxconn, which was lowered after listen()
  unknown,
};

BacklogLimit limit_of(const Listener& listener, std::optional<double> somaxconn);

/// Returns `program`, `somaxconn`, `former_somaxconn` or `?`.
std::string_view name_of(BacklogLimit limit);

/// Returns the limit and its value in words.
std::string describe_limit(const Listener& listener, std::optional<double> somaxconn);

/// Returns how to lengthen the queue, as a clause such as `raise ...`. Names the setting of the
/// program if its systemd unit is known.
std::string backlog_advice(const Listener& listener, std::optional<double> somaxconn);

}  // namespace inetdiag::diagnosis
