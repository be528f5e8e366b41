"""Expect: critical/warning udp_dropping UDP 127.0.0.1:5300*in namespace blue

A program in another network namespace does not read its datagrams."""


def replay(host):
    with host.other_namespace("blue"):
        host.udp(5300)
        host.repeat(lambda: host.send_udp(5300, 20))
