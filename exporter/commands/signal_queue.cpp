#include "exporter/commands/signal_queue.h"

#include <cerrno>
#include <system_error>

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace inetdiag {
namespace {

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

SignalQueue::SignalQueue(std::initializer_list<int> signals) {
  sigset_t set{};
  sigemptyset(&set);
  for (const int signal : signals) {
    if (!is_ignored(signal)) {
      sigaddset(&set, signal);
    }
  }
  fd_ = kernel::UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_) {
    throw std::system_error(errno, std::generic_category(), "cannot create a signal descriptor");
  }
  pthread_sigmask(SIG_BLOCK, &set, &before_);
}

SignalQueue::~SignalQueue() {
  while (next()) {
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> SignalQueue::next() const {
  signalfd_siginfo info{};
  const ssize_t bytes = ::read(fd_.get(), &info, sizeof(info));
  return bytes == static_cast<ssize_t>(sizeof(info))
             ? std::optional(static_cast<int>(info.ssi_signo))
             : std::nullopt;
}

void SignalQueue::suspend() {
  sigset_t stop{};
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  ::raise(SIGTSTP);
  pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
}

}  // namespace inetdiag
