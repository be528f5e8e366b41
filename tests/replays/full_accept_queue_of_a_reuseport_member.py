"""Expect: critical accept_queue_full 0.0.0.0:8080
Says: 17 of 17

One of four sockets that share a port is not accepted from, and clients keep trying."""

from host import REUSEPORT


def replay(host):
    for accept in (False, True, True, True):
        host.listen(backlog=16, options=(REUSEPORT,), accept=accept)
    host.repeat(lambda: host.connect(16), every=0.1)
    host.wait_until_waiting(17)
