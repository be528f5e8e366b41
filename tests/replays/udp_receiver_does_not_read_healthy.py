"""Expect: nothing

A program reads its datagrams."""


def replay(host):
    host.read_udp(host.udp(5300, receive_buffer=65536))
    host.repeat(lambda: host.send_udp(5300, 20))
