"""Expect: nothing

120 clients closed one direction and read until the end. The program closed its side."""

import socket


def replay(host):
    server = host.listen()
    for client, connection in host.pairs(server, 120, ("127.0.0.1", 8080)):
        client.shutdown(socket.SHUT_WR)
        connection.send(b"x" * 10000)
        connection.close()
        while client.recv(20000):
            pass
    host.wait_for_state("last-ack", 0)
