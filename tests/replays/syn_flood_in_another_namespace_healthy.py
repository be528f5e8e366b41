"""Expect: no warning

In another network namespace, a few SYNs are never completed."""

from host import Link


def replay(host):
    with host.other_namespace("blue"):
        link = Link(lambda packet: None)
        host.listen(Link.ADDRESS, backlog=32, accept=True)
        link.send_syns(9)
        host.wait_until_half_open(9)
