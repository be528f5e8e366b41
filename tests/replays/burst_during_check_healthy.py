"""Expect: nothing

Forty clients connect at once to a program with backlog 64, between the snapshots. Then it accepts."""


def replay(host):
    server = host.listen(backlog=64)
    host.during_check(lambda: host.burst(server))
