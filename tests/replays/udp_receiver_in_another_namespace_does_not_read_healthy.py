"""Expect: nothing

A program in another network namespace reads its datagrams."""


def replay(host):
    with host.other_namespace("blue"):
        host.read_udp(host.udp(5300, receive_buffer=65536))
        host.repeat(lambda: host.send_udp(5300, 20))
