"""Expect: nothing

A program serves thousands of short connections."""

import socket


def replay(host):
    server = host.listen(backlog=128)
    host.accept(server, lambda connection: connection.close())

    def connect_briefly():
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", 8080)) as client:
                client.recv(1)

    host.repeat(connect_briefly, every=0.01)
