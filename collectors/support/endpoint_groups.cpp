#include "collectors/support/endpoint_groups.h"

#include <string>

#include "collectors/kernel/netlink/interface_name.h"

namespace inetdiag {

Labels endpoint_labels(const kernel::Endpoint& endpoint) {
  Labels labels = {{"address", endpoint.address.text()}, {"port", std::to_string(endpoint.port)}};
  if (endpoint.device != 0) {
    labels.push_back({"device", kernel::interface_name(endpoint.device)});
  }
  return labels;
}

Labels aggregate_labels() { return {{"address", "other"}, {"port", "other"}}; }

}  // namespace inetdiag
