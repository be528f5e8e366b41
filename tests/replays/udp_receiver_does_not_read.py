"""Expect: critical/warning udp_dropping UDP 127.0.0.1:5300

A program does not read its datagrams, and more arrive."""


def replay(host):
    host.udp(5300)
    host.repeat(lambda: host.send_udp(5300, 20))
