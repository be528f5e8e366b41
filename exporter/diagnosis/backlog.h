// Which limit a listener's backlog comes from, and what to do to raise it.
#pragma once

#include <optional>
#include <string>

#include "exporter/diagnosis/snapshot.h"

namespace inetdiag::diagnosis {

/// Who set the backlog, min(listen() argument, somaxconn at the time of listen()).
enum class BacklogLimit {
  program,           ///< asked for less than somaxconn is
  somaxconn,         ///< has just what somaxconn is
  former_somaxconn,  ///< has more than somaxconn is: it was higher at the time of listen()
  unknown,           ///< somaxconn could not be read
};

BacklogLimit limit_of(const Listener& listener, std::optional<double> somaxconn);

/// `program`, `somaxconn`, `former_somaxconn`, or `?`: for a table.
std::string short_text(BacklogLimit limit);

/// The limit with its figures.
std::string limit_text(const Listener& listener, std::optional<double> somaxconn);

/// What to do for a longer queue, with the setting of the program where its unit is known.
std::string how_to_raise(const Listener& listener, std::optional<double> somaxconn);

}  // namespace inetdiag::diagnosis
