#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "collectors/kernel/netlink/inet_diag.h"

namespace inetdiag::kernel {

/// The states that inet_diag reports, in the order of TcpState, with their names in every output of
/// this program.
inline constexpr std::array<std::pair<TcpState, std::string_view>, 11> tcp_states = {{
    {TcpState::established, "established"},
    {TcpState::syn_sent, "syn_sent"},
    {TcpState::syn_recv, "syn_recv"},
    {TcpState::fin_wait1, "fin_wait1"},
    {TcpState::fin_wait2, "fin_wait2"},
    {TcpState::time_wait, "time_wait"},
    {TcpState::close, "close"},
    {TcpState::close_wait, "close_wait"},
    {TcpState::last_ack, "last_ack"},
    {TcpState::listen, "listen"},
    {TcpState::closing, "closing"},
}};

constexpr std::string_view name_of(TcpState state) { return tcp_states.at(slot(state) - 1).second; }

}  // namespace inetdiag::kernel
