"""Expect: nothing

A program with a port in the ephemeral range reads its datagrams."""


def replay(host):
    host.read_udp(host.udp(40000, receive_buffer=65536))
    host.repeat(lambda: host.send_udp(40000, 20))
