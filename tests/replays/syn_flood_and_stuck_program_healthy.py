"""Expect: no warning

A few SYNs are never completed, and a program accepts its clients."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=128, accept=True)
    link.send_syns(9)
    host.wait_until_half_open(9)
    host.during_check(lambda: host.connect(15, address=Link.ADDRESS))
