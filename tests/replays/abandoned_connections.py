"""Expect: warning abandoned_connections 0.0.0.0:8080
Says: have already been closed by the client

A program accepts ten connections a second. Clients give up after a second, so it works for those that have gone."""


def replay(host):
    server = host.listen(backlog=128)
    clients = host.connect(40)
    host.wait_until_waiting(40, seconds=1.2)
    for client in clients[:35]:
        client.close()
    host.repeat(lambda: host.keep(server.accept()[0]), every=0.1)
