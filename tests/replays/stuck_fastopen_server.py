"""Expect: critical listener_stuck 0.0.0.0:8080
Says: have sent data

A program with TCP Fast Open does not accept. The requests of its clients came with the SYN."""

import socket


def replay(host):
    host.set_sysctl("net.ipv4.tcp_fastopen", 519)  # client and server, data in the SYN without a cookie
    host.listen(backlog=128, options=((socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 64),))
    host.connect_with_data(5, "127.0.0.1")
    host.wait_until_waiting(5, seconds=2.2)
