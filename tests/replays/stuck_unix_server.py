"""Expect: warning unix_listener_stuck UNIX app.sock

A program with backlog 128 does not accept. Six clients wait."""


def replay(host):
    host.unix("app.sock", backlog=128)
    host.connect_unix("app.sock", 6)
