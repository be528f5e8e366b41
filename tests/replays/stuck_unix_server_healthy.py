"""Expect: nothing

A program with backlog 128 accepts its six clients between the snapshots."""


def replay(host):
    server = host.unix("app.sock", backlog=128)
    host.connect_unix("app.sock", 6)
    host.during_check(lambda: host.keep(*(server.accept()[0] for _ in range(6))))
