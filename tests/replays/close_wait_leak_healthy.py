"""Expect: nothing

Twenty clients have closed one direction of their connections, as for half-closed streams."""

import socket


def replay(host):
    server = host.listen()
    for client, _ in host.pairs(server, 20, ("127.0.0.1", 8080)):
        client.shutdown(socket.SHUT_WR)
