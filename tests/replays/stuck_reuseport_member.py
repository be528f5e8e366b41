"""Expect: critical reuseport_member_stuck 0.0.0.0:8080
Says: 1 of 8 sockets accepts no connections (inode
Never says: leak

One of eight sockets that share a port is not accepted from. Its queue is far from full."""

from host import REUSEPORT


def replay(host):
    for accept in (False, *[True] * 7):
        host.listen(backlog=1000, options=(REUSEPORT,), accept=accept)
    host.connect(80)
    host.wait_until_waiting(2)
    host.wait_until_waiting(2, seconds=2.2)
    host.repeat(lambda: host.connect(2), every=0.1)
