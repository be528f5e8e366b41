#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace inetdiag {

/// What became of a step that does not wait.
enum class Step { done, wait, failed };

/// What a client sends and is sent, over a socket that does not wait.
class ClientStream {
 public:
  struct Taken {
    Step step = Step::failed;
    std::size_t bytes = 0;  ///< at least 1 where the step is done
  };

  ClientStream() = default;
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;
  virtual ~ClientStream() = default;

  /// What comes before the first byte; to be called again where it waits.
  virtual Step open() = 0;
  /// Why open() failed; empty where the client just went away.
  virtual std::string failure() const { return {}; }
  /// What to send, as it is, to a client for which open() failed.
  virtual std::string_view rejection_response() const { return {}; }

  virtual Taken read(std::span<char> buffer) = 0;
  virtual Taken write(std::string_view bytes) = 0;
  /// Tells the client that it has everything. The socket stays open.
  virtual Step close() = 0;

  /// What a step that waits waits for: POLLIN or POLLOUT.
  short events() const { return events_; }

 protected:
  Step wait_for(short events) {
    events_ = events;
    return Step::wait;
  }

 private:
  short events_ = 0;
};

}  // namespace inetdiag
