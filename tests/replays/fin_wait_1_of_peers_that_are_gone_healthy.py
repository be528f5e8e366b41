"""Expect: nothing

A program closed 120 connections, and its clients read the response and close theirs."""

from host import Link


def replay(host):
    Link(lambda packet: 0)
    server = host.listen()
    for client, connection in host.pairs(server, 120, ("10.98.0.7", 8080)):
        connection.send(b"response")
        connection.close()
        while client.recv(100):
            pass
        client.close()
