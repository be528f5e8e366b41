"""Expect: warning syn_queue_full 10.98.0.1:8080*in namespace blue

In another network namespace, SYNs that are never completed fill the SYN queue of a program that accepts."""

from host import Link


def replay(host):
    with host.other_namespace("blue"):
        link = Link(lambda packet: None)
        host.listen(Link.ADDRESS, backlog=8, accept=True)
        link.send_syns(20)
        host.wait_until_half_open(9)
        host.during_check(lambda: link.send_syns(20, first=100))
