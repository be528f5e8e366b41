"""Expect: nothing

A program with an MPTCP socket accepts its connections, which are then idle."""

from host import MPTCP


def replay(host):
    host.set_sysctl("net.mptcp.enabled", 1)
    server = host.listen(backlog=128, protocol=MPTCP)
    host.pairs(server, 5, ("127.0.0.1", 8080))
