"""Expect: notice peers_not_reading outgoing connections
Allow: notice program_not_reading port 8080

A program sends to a server of this host on 60 connections. The server hangs, and its windows are closed."""

import socket


def replay(host):
    server = host.listen(options=((socket.SOL_SOCKET, socket.SO_RCVBUF, 2048),))
    for client, _ in host.pairs(server, 60, ("127.0.0.1", 8080)):
        host.send_until_full(client)
    host.wait_until_probing(60)
