"""Expect: nothing

A program with backlog 16 accepts the connections of 60 clients."""


def replay(host):
    server = host.listen(backlog=16)
    host.pairs(server, 60, ("127.0.0.1", 8080))
