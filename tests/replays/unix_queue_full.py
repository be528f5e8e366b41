"""Expect: critical unix_queue_full UNIX app.sock

A program with backlog 3 does not accept."""


def replay(host):
    host.unix("app.sock", backlog=3)
    host.connect_unix("app.sock", 10)
