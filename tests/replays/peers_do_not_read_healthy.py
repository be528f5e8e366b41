"""Expect: nothing

15 of 100 clients pause a stream: they do not read, and the server waits."""


def replay(host):
    server = host.listen()
    host.pairs(server, 85, ("127.0.0.1", 8080))
    for _, connection in host.pairs(server, 15, ("127.0.0.1", 8080), receive_buffer=2048):
        host.send_until_full(connection)
    host.wait_until_probing(15)
