"""Expect: warning fastopen_queue_full this host

A program allows one pending TCP Fast Open connection, and ten clients send their first segments at once."""

import socket

from host import Link, is_syn_ack


def replay(host):
    host.set_sysctl("net.ipv4.tcp_fastopen", 519)
    Link(lambda packet: None if is_syn_ack(packet) else 0)
    host.listen(options=((socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 1),), accept=True)
    host.during_check(lambda: host.connect_with_data(10, "10.98.0.7"))
