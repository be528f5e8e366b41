"""Expect: nothing

A program has sixty connections in CLOSE_WAIT, too few for a leak. At another, sixty of seventy clients gave up just
before it accepts them."""


def replay(host):
    server = host.listen()
    for client, _ in host.pairs(server, 60, ("127.0.0.1", 8080)):
        client.close()
    other = host.listen(port=8081)
    clients = host.connect(70, port=8081)
    host.wait_until_waiting(70, port=8081)
    for client in clients[:60]:
        client.close()
    host.during_check(lambda: host.accept(other, lambda connection: connection.close()))
