// The destinations with the fewest ephemeral ports left, as text and JSON.
#pragma once

#include <cstddef>
#include <string>

#include "collectors/kernel/netlink/destinations.h"
#include "exporter/exposition/json_writer.h"

namespace inetdiag {

/// Returns a table of up to `count` destinations, and a line with the number of usable ports.
std::string destination_table(const kernel::DestinationsInUse& in_use, std::size_t count);

/// Writes the members `usable_ports`, `exact` and `destinations` of an object.
void write_destinations(JsonWriter& json, const kernel::DestinationsInUse& in_use,
                        std::size_t count);

}  // namespace inetdiag
