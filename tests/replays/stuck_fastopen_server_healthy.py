"""Expect: nothing

A program with TCP Fast Open accepts its clients. The requests come with the SYN."""

import socket


def replay(host):
    host.set_sysctl("net.ipv4.tcp_fastopen", 519)  # client and server, data in the SYN without a cookie
    host.listen(backlog=128, options=((socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 64),), accept=True)
    host.connect_with_data(5, "127.0.0.1")
    host.repeat(lambda: host.connect_with_data(2, "127.0.0.1"))
