// What the rules on listeners conclude from the numbers of one listener.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "exporter/diagnosis/finding.h"
#include "exporter/diagnosis/namespace_delta.h"

namespace inetdiag::diagnosis {

// Values of net.ipv4.tcp_syncookies.
inline constexpr double no_cookies = 0;
inline constexpr double cookies_when_full = 1;
inline constexpr double cookies_always = 2;

/// Returns a finding about the listener, without rule and texts.
Finding listener_finding(const Listener& listener, const NamespaceDelta& delta);

/// Returns a finding about the network namespace, without rule and texts.
Finding namespace_finding(const NamespaceDelta& delta);

std::string listener_series(std::string_view metric, const Listener& listener,
                            const NamespaceDelta& delta);

/// Returns the command that shows the program of the listener, as a sentence with a leading blank;
/// empty if its owner is known.
std::string find_owner(const Listener& listener);

/// Returns the command that shows the peers in a queue of the listener, as a sentence with a
/// leading blank; empty for an aggregate. `filter` selects the sockets: `--waiting` or
/// `--state=syn_recv`.
std::string find_peers(const Listener& listener, std::string_view filter);

/// Returns the SYNs and final ACKs that the listener dropped since the previous snapshot, for
/// certain.
double new_listen_drops(const Listener& listener, const NamespaceDelta& delta);

/// Returns whether the listener can have dropped SYNs or final ACKs since the previous snapshot.
bool may_have_dropped(const Listener& listener, const NamespaceDelta& delta);

/// Returns the severity of a number of drops since the previous snapshot, by number and rate.
Severity severity_of_drops(double drops, const NamespaceDelta& delta);

/// Returns whether SYN cookies were sent or came back since the previous snapshot and the
/// listener's SYN queue is full enough to be the reason. The kernel counts cookies for the network
/// namespace only.
bool sends_cookies(const Listener& listener, const NamespaceDelta& delta);

/// Returns whether the listener drops SYNs because its SYN queue is full and SYN cookies are off.
bool drops_syns(const Listener& listener, const NamespaceDelta& delta);

}  // namespace inetdiag::diagnosis
