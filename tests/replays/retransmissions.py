"""Expect: warning retransmissions this host

A path loses every fourth segment with data."""

import itertools

from host import Link


def replay(host):
    number = itertools.count()
    link = Link(lambda packet: 0)
    host.listen(accept=True)
    clients = host.connect(50, address="10.98.0.7")
    host.wait_for_state("established", 100)
    link.policy = lambda packet: None if len(packet) > 100 and next(number) % 4 == 0 else 0
    host.repeat(lambda: [client.send(b"x" * 100) for client in clients])
