#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "collectors/kernel/netlink/inet_diag.h"

namespace inetdiag {

/// Formats addresses and caches the last one: consecutive sockets often share it.
class AddressFormatter {
 public:
  /// Returns the address as in the labels of the metrics: `10.0.0.5`, or in brackets `[::1]`.
  std::string_view format(const kernel::InetAddress& address);

 private:
  kernel::InetAddress last_;
  std::string text_;
};

/// Formats sockets as rows of a table, or as a JSON object per line.
class SocketLines {
 public:
  /// With `with_info`, lines have the timer and struct tcp_info too.
  explicit SocketLines(bool with_info = false) : with_info_(with_info) {}

  std::string table_header() const;

  /// `payload` is that of the message of the socket.
  void append_row(std::string& text, const kernel::InetSocket& socket,
                  std::span<const std::byte> payload);
  void append_json(std::string& text, const kernel::InetSocket& socket,
                   std::span<const std::byte> payload);

 private:
  bool with_info_;
  const std::string& device_name(std::uint32_t index);

  AddressFormatter local_;
  AddressFormatter peer_;
  std::map<std::uint32_t, std::string> device_names_;
};

}  // namespace inetdiag
