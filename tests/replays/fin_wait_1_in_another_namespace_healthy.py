"""Expect: nothing

A program in another network namespace closed 120 connections, and so did its clients."""


def replay(host):
    with host.other_namespace("blue"):
        server = host.listen()
        for client, connection in host.pairs(server, 120, ("127.0.0.1", 8080)):
            connection.close()
            client.close()
