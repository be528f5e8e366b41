"""Expect: nothing

Eight sockets share a port. All are accepted from, and clients are idle."""

from host import REUSEPORT


def replay(host):
    for _ in range(8):
        host.listen(backlog=1000, options=(REUSEPORT,), accept=True)
    host.connect(80)
    host.repeat(lambda: host.connect(2), every=0.1)
