"""Expect: warning many_close_wait *namespace blue

A program in another network namespace does not close 120 connections that its clients closed."""


def replay(host):
    with host.other_namespace("blue"):
        server = host.listen()
        for client, _ in host.pairs(server, 120, ("127.0.0.1", 8080)):
            client.close()
