#pragma once

#include <csignal>
#include <initializer_list>
#include <optional>

#include "collectors/kernel/base/unique_fd.h"

namespace inetdiag {

/// Receives signals through a descriptor (signalfd(2)) instead of their handlers. Create it before
/// the threads that inherit its mask. Signals that the process ignores, as SIGHUP under nohup(1),
/// stay ignored.
class SignalQueue {
 public:
  explicit SignalQueue(std::initializer_list<int> signals);
  SignalQueue(const SignalQueue&) = delete;
  SignalQueue& operator=(const SignalQueue&) = delete;
  /// Discards signals that were not received.
  ~SignalQueue();

  /// Readable if next() returns a signal.
  int fd() const { return fd_.get(); }
  std::optional<int> next() const;

  /// Stops the process as SIGTSTP does by default. Returns after SIGCONT.
  static void suspend();

 private:
  sigset_t before_{};
  kernel::UniqueFd fd_;
};

}  // namespace inetdiag
