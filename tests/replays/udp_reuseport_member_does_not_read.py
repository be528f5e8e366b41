"""Expect: critical/warning udp_dropping UDP 127.0.0.1:5300
Says: 8.0 KiB
Never says: 32.0 KiB

One of four sockets that share a port is not read. Its own buffer of 8 KiB is full."""

from host import REUSEPORT


def replay(host):
    host.udp(5300, options=(REUSEPORT,))
    for _ in range(3):
        host.read_udp(host.udp(5300, options=(REUSEPORT,)))
    host.repeat(lambda: host.send_udp(5300, 4, senders=40))
