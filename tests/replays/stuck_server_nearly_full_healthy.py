"""Expect: nothing

A queue of 100 holds 85 connections, and the program accepts all of them between the snapshots."""


def replay(host):
    server = host.listen(backlog=99)
    host.connect(85)
    host.wait_until_waiting(85)
    host.during_check(lambda: host.keep(*(server.accept()[0] for _ in range(85))))
