"""Expect: nothing

A program allows sixteen pending TCP Fast Open connections, and ten clients send their first segments at once."""

import socket

from host import Link


def replay(host):
    host.set_sysctl("net.ipv4.tcp_fastopen", 519)
    Link(lambda packet: 0)
    host.listen(options=((socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16),), accept=True)
    host.during_check(lambda: host.connect_with_data(10, "10.98.0.7"))
