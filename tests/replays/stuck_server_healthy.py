"""Expect: nothing

The same five clients are silent, but the program accepted their connections."""

from host import wait_until


def replay(host):
    server = host.listen(backlog=128)
    clients = host.pairs(server, 5, ("127.0.0.1", 8080))
    wait_until("they have been idle", lambda: host.idle_seconds(clients[-1][1]) >= 2.2)
