"""Expect: critical/warning listener_dropping 0.0.0.0:8080

Forty clients connect at once to a program with backlog 4, between the snapshots. Then it accepts."""


def replay(host):
    server = host.listen(backlog=4)
    host.during_check(lambda: host.burst(server, served=5))
