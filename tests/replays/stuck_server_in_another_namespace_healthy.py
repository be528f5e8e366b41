"""Expect: nothing

A program in another network namespace accepts. Its five clients are silent."""


def replay(host):
    with host.other_namespace("blue"):
        server = host.listen(backlog=128)
        host.pairs(server, 5, ("127.0.0.1", 8080))
