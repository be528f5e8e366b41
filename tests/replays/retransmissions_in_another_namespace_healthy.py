"""Expect: nothing

A path of another network namespace loses no segment."""

from host import Link


def replay(host):
    with host.other_namespace("blue"):
        Link(lambda packet: 0)
        host.listen(accept=True)
        clients = host.connect(50, address="10.98.0.7")
        host.wait_for_state("established", 100)
    host.repeat(lambda: [client.send(b"x" * 100) for client in clients])
