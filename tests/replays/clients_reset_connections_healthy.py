"""Expect: nothing

A program sends responses, and clients that no longer want them reset their connections. The kernel counts resets that
find no connection as drops of the listener."""

from host import Link


def replay(host):
    Link(lambda packet: 0.02)
    server = host.listen(backlog=128)
    clients = host.connect(100, address="10.98.0.7")
    connections = [host.keep(server.accept()[0]) for _ in clients]

    def close_all():
        for client, connection in zip(clients, connections):
            connection.send(b"response")
            connection.close()
            client.close()

    host.during_check(close_all)
