"""Expect: warning unix_queue_nearly_full UNIX app.sock

The queue holds 95 of 100 connections, and the program accepts some of them between the snapshots."""


def replay(host):
    server = host.unix("app.sock", backlog=99)
    host.connect_unix("app.sock", 95)
    host.during_check(lambda: host.keep(*(server.accept()[0] for _ in range(10))))
