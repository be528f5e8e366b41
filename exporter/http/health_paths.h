// Paths of liveness and readiness probes. They reveal only that the exporter serves.
#pragma once

#include <string_view>

namespace inetdiag {

constexpr bool is_health_path(std::string_view path) {
  return path == "/-/healthy" || path == "/-/ready";
}

}  // namespace inetdiag
