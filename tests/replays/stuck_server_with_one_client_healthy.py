"""Expect: nothing

A program that serves one connection at a time accepts the next one between the snapshots."""


def replay(host):
    server = host.listen(backlog=5)
    host.pairs(server, 1, ("127.0.0.1", 8080))
    host.connect(1)
    host.wait_until_waiting(1)
    host.during_check(lambda: host.keep(server.accept()[0]))
