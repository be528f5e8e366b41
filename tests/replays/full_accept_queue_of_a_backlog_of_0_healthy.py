"""Expect: nothing

A program called listen(0). One connection waits, and is accepted between the snapshots."""


def replay(host):
    server = host.listen(backlog=0)
    host.connect(1)
    host.wait_until_waiting(1)
    host.during_check(lambda: host.keep(server.accept()[0]))
