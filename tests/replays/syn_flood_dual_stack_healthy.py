"""Expect: no warning

A few IPv4 SYNs to a dual-stack program are never completed."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen("::", backlog=32, accept=True)
    link.send_syns(9)
    host.wait_until_half_open(9)
