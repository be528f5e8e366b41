"""Expect: nothing

A program has not read some datagrams yet, and a third of the buffer is in use."""


def replay(host):
    host.udp(5300, receive_buffer=65536)
    host.send_udp(5300, 50)
