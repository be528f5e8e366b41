"""Expect: warning many_close_wait port 8080

A program does not close 120 connections that its clients closed."""


def replay(host):
    server = host.listen()
    for client, _ in host.pairs(server, 120, ("127.0.0.1", 8080)):
        client.close()
