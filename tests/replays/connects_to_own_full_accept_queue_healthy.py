"""Expect: nothing

Eighty clients on the same host connect to a program that accepts."""


def replay(host):
    server = host.listen(backlog=16)
    host.pairs(server, 80, ("127.0.0.1", 8080))
