"""Expect: nothing

Clients on the same host connect to a program that accepts, and forty connections go to an address that answers after
half a second."""

from host import Link


def replay(host):
    Link(lambda packet: 0.25)
    host.listen(accept=True)
    host.connect(40)
    host.repeat(lambda: host.connect(40, address="10.98.0.7"), every=0.3)
