"""Expect: no warning

Clients that play a stream pause: they do not read, and the server waits. Other servers of the host are read."""


def replay(host):
    server = host.listen()
    for _, connection in host.pairs(server, 60, ("127.0.0.1", 8080), receive_buffer=2048):
        host.send_until_full(connection)
    host.wait_until_probing(60)
