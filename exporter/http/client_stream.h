#pragma once

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace inetdiag {

/// The outcome of a non-blocking operation.
enum class IoStatus { ok, would_block, failed };

struct IoResult {
  IoStatus status = IoStatus::failed;
  std::size_t bytes = 0;  ///< at least 1 if the status is ok
};

/// Whether a non-blocking call that failed with this errno may be repeated.
inline bool is_transient(int error) { return error == EAGAIN || error == EINTR; }

/// The bytes exchanged with a client over a non-blocking socket.
class ClientStream {
 public:
  ClientStream() = default;
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;
  virtual ~ClientStream() = default;

  /// Runs the handshake. Call it again after would_block.
  virtual IoStatus handshake() = 0;
  /// Returns why handshake() failed; empty if the client just disconnected.
  virtual std::string handshake_error() const { return {}; }
  /// Returns the bytes to send unencrypted after a failed handshake.
  virtual std::string_view rejection_response() const { return {}; }

  virtual IoResult read(std::span<char> buffer) = 0;
  virtual IoResult write(std::string_view bytes) = 0;
  /// Marks the end of the response. The socket stays open.
  virtual IoStatus close() = 0;

  /// Returns the events to poll for after would_block: POLLIN or POLLOUT.
  short poll_events() const { return poll_events_; }

 protected:
  IoStatus would_block_on(short events) {
    poll_events_ = events;
    return IoStatus::would_block;
  }

 private:
  short poll_events_ = 0;
};

}  // namespace inetdiag
