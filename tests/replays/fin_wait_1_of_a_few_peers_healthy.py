"""Expect: nothing

A program closed thirty connections to clients that do not read, as slow clients of a busy server."""


def replay(host):
    server = host.listen()
    for _, connection in host.pairs(server, 30, ("127.0.0.1", 8080), receive_buffer=2048):
        host.send_until_full(connection)
        connection.close()
    host.wait_for_state("fin-wait-1", 30)
