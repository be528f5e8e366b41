"""Expect: no warning

A few connections are half-open, and the program accepts its clients."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=32, accept=True)
    link.send_syns(8)
    host.wait_until_half_open(8)
    host.repeat(lambda: host.connect(2, address=Link.ADDRESS), every=0.1)
