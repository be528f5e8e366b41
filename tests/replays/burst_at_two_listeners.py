"""Expect: critical/warning listener_dropping 0.0.0.0:8080
Expect: critical/warning listener_dropping 0.0.0.0:8081

Bursts overflow two programs with backlog 4 between the snapshots. Then they accept."""


def replay(host):
    for port in (8080, 8081):
        server = host.listen(port=port, backlog=4)
        host.during_check(lambda server=server: host.burst(server, served=5))
