"""Expect: nothing

Four sockets share a port, and all are accepted from."""

from host import REUSEPORT


def replay(host):
    for _ in range(4):
        host.listen(backlog=64, options=(REUSEPORT,), accept=True)
    host.repeat(lambda: host.connect(8), every=0.1)
