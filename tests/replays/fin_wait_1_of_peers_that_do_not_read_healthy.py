"""Expect: no warning

A program has sent to clients that do not read, and keeps the connections open."""


def replay(host):
    server = host.listen()
    for _, connection in host.pairs(server, 120, ("127.0.0.1", 8080), receive_buffer=2048):
        host.send_until_full(connection)
