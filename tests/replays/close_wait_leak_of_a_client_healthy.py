"""Expect: nothing

A program keeps 120 open connections in its pool."""


def replay(host):
    server = host.listen()
    host.pairs(server, 120, ("127.0.0.1", 8080))
