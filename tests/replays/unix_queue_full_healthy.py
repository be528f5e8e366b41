"""Expect: nothing

A program with backlog 3 accepts."""


def replay(host):
    host.accept(host.unix("app.sock", backlog=3))
    host.repeat(lambda: host.connect_unix("app.sock", 1))
