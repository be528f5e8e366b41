"""Expect: nothing

A path takes 0.6 s for a round trip. Handshakes are slow, but not slow enough for a retransmission."""

from host import Link


def replay(host):
    Link(lambda packet: 0.3)
    host.listen(backlog=128, accept=True)
    host.repeat(lambda: host.connect(5, address="10.98.0.7"))
