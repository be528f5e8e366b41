#pragma once

#include "exporter/http/client_stream.h"

namespace inetdiag {

/// An unencrypted connection.
class PlainStream : public ClientStream {
 public:
  explicit PlainStream(int fd) : fd_(fd) {}

  IoStatus handshake() override { return IoStatus::ok; }
  IoResult read(std::span<char> buffer) override;
  IoResult write(std::string_view bytes) override;
  IoStatus close() override { return IoStatus::ok; }

 private:
  int fd_;
};

}  // namespace inetdiag
