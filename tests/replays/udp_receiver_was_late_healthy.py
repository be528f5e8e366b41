"""Expect: no warning

A program was late and lost datagrams. Now it has read the rest, and more."""


def replay(host):
    server = host.udp(5300)
    host.send_udp(5300, 20)
    host.read_udp(server)
    host.repeat(lambda: host.send_udp(5300, 2))
