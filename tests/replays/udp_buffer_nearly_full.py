"""Expect: warning udp_buffer_nearly_full UDP 127.0.0.1:5300

A program does not read its datagrams, and nine tenths of the buffer are in use."""


def replay(host):
    host.udp(5300, receive_buffer=65536)
    host.send_udp(5300, 150)
