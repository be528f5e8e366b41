"""Expect: nothing

Four sockets share a port, and all are read."""

from host import REUSEPORT


def replay(host):
    for _ in range(4):
        host.read_udp(host.udp(5300, receive_buffer=65536, options=(REUSEPORT,)))
    host.repeat(lambda: host.send_udp(5300, 4, senders=40))
