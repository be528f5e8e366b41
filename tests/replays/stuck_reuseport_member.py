"""Expect: critical listener_stuck 0.0.0.0:8080

One of four sockets that share a port is not accepted from. Its queue is far from full."""

from host import REUSEPORT


def replay(host):
    for accept in (False, True, True, True):
        host.listen(backlog=1000, options=(REUSEPORT,), accept=accept)
    host.connect(40)
    host.wait_until_waiting(2)
    host.wait_until_waiting(2, seconds=2.2)
    host.repeat(lambda: host.connect(2), every=0.1)
