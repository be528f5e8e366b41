"""Expect: no warning

SYNs that are never completed fill a small part of the SYN queue, and the kernel sends no cookies."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=128, accept=True)
    link.send_syns(20)
    host.wait_until_half_open(20)
    host.during_check(lambda: link.send_syns(20, first=100))
