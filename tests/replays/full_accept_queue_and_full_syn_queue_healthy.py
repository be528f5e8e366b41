"""Expect: no warning

A few connections wait for a moment, and a few are half-open."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    server = host.listen(Link.ADDRESS, backlog=32)
    link.send_syns(9)
    host.wait_until_half_open(9)
    host.connect(9, address=Link.ADDRESS)
    host.wait_until_waiting(9)
    host.accept(server)
