"""Expect: nothing

Bursts at two programs with enough backlog, between the snapshots."""


def replay(host):
    for port in (8080, 8081):
        server = host.listen(port=port, backlog=64)
        host.during_check(lambda server=server: host.burst(server))
