"""Expect: nothing

A program in another network namespace has 120 idle connections."""


def replay(host):
    with host.other_namespace("blue"):
        server = host.listen()
        host.pairs(server, 120, ("127.0.0.1", 8080))
