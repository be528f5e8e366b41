"""Expect: nothing

Forty connections have just been started to an address that answers after half a second."""

from host import Link


def replay(host):
    Link(lambda packet: 0.25)
    host.listen(accept=True)
    host.repeat(lambda: host.connect(40, address="10.98.0.7"), every=0.3)
