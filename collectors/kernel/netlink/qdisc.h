// Queueing disciplines: rtnetlink(7), RTM_GETQDISC, net/sched/sch_api.c (tc_fill_qdisc).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace inetdiag::kernel {

/// The queueing discipline at the root of a device. Those of classes and hardware queues are part
/// of it.
struct RootQdisc {
  std::uint32_t device = 0;  ///< interface index
  std::string kind;          ///< as tc(8) names it, such as fq_codel
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint32_t queued_packets = 0;
  std::uint32_t queued_bytes = 0;
  // These wrap at 2^32.
  std::uint32_t drops = 0;
  std::uint32_t requeues = 0;    ///< packets that the device had no room for
  std::uint32_t overlimits = 0;  ///< times that the configured rate or limit was exceeded
  // Of kinds with one queue that has a limit.
  std::optional<std::uint32_t> limit_packets;
  std::optional<std::uint32_t> limit_bytes;
};

/// Returns nothing if the payload is too short, or is not of a root.
std::optional<RootQdisc> parse_root_qdisc(std::span<const std::byte> payload);

/// Returns the payload of a RTM_GETQDISC dump (struct tcmsg).
std::array<std::byte, 20> qdisc_dump_payload();

}  // namespace inetdiag::kernel
