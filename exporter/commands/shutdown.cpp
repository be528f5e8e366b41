#include "exporter/commands/shutdown.h"

#include <cstdlib>

namespace inetdiag {

void exit_immediately(int status, const Log& log) {
  log.flush();
  std::_Exit(status);
}

}  // namespace inetdiag
