"""Expect: critical listener_stuck 0.0.0.0:8080

A program with an MPTCP socket does not accept. Five clients have waited for more than two seconds."""

from host import MPTCP


def replay(host):
    host.set_sysctl("net.mptcp.enabled", 1)
    host.listen(backlog=128, protocol=MPTCP)
    host.connect(5)
    host.wait_until_waiting(5, seconds=2.2)
