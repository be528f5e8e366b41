"""Expect: nothing

A program serves its clients, and exits between the snapshots."""


def replay(host):
    server = host.listen(backlog=64)
    host.pairs(server, 40, ("127.0.0.1", 8080))
    host.during_check(server.close)
