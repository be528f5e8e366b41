#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "collectors/kernel/netlink/inet_diag.h"

namespace inetdiag {

/// The text of an address. Sockets that follow each other often share one, so that the last text
/// serves again.
class AddressText {
 public:
  /// As in the labels of the metrics: `10.0.0.5`, or in brackets `[::1]`.
  std::string_view of(const kernel::InetAddress& address);

 private:
  kernel::InetAddress last_;
  std::string text_;
};

/// Writes sockets as lines: a table for people, or a JSON object for each.
class SocketLines {
 public:
  static std::string_view table_head();

  void append_row(std::string& text, const kernel::InetSocket& socket,
                  const kernel::InetPeer& peer);
  void append_json(std::string& text, const kernel::InetSocket& socket,
                   const kernel::InetPeer& peer);

 private:
  const std::string& device_name(std::uint32_t index);

  AddressText local_;
  AddressText peer_;
  std::map<std::uint32_t, std::string> device_names_;
};

}  // namespace inetdiag
