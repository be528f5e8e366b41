"""Expect: critical/warning udp_dropping UDP 127.0.0.1:40000

A program with a port in the ephemeral range does not read its datagrams."""


def replay(host):
    host.udp(40000)
    host.repeat(lambda: host.send_udp(40000, 20))
