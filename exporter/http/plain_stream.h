#pragma once

#include "exporter/http/client_stream.h"

namespace inetdiag {

/// Bytes as they are.
class PlainStream : public ClientStream {
 public:
  explicit PlainStream(int fd) : fd_(fd) {}

  Step open() override { return Step::done; }
  Taken read(std::span<char> buffer) override;
  Taken write(std::string_view bytes) override;
  Step close() override { return Step::done; }

 private:
  int fd_;
};

}  // namespace inetdiag
