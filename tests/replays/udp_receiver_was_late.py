"""Expect: warning udp_buffer_full/udp_buffer_nearly_full UDP 127.0.0.1:5300

The buffer of a program that does not read is full, and no more datagrams arrive."""


def replay(host):
    host.udp(5300)
    host.send_udp(5300, 20)
