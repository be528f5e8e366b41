"""Expect: nothing

Two hundred connections have been idle for seconds."""

from host import wait_until


def replay(host):
    server = host.listen(backlog=128)
    connections = host.pairs(server, 200, ("127.0.0.1", 8080))
    wait_until("they have been idle", lambda: host.idle_seconds(connections[-1][1]) >= 2.2)
