"""Expect: warning syn_queue_nearly_full 10.98.0.1:8080

SYNs that are never completed fill the SYN queue of 101 to nine tenths."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=100, accept=True)
    link.send_syns(91)
    host.wait_until_half_open(91)
