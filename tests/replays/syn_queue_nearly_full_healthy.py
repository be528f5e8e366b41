"""Expect: no warning

SYNs that are never completed, as those of scanners, fill a third of the SYN queue."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=100, accept=True)
    link.send_syns(33)
    host.wait_until_half_open(33)
