"""Expect: nothing

The queue holds 50 of 100 connections, and the program accepts some of them between the snapshots."""


def replay(host):
    server = host.unix("app.sock", backlog=99)
    host.connect_unix("app.sock", 50)
    host.during_check(lambda: host.keep(*(server.accept()[0] for _ in range(10))))
