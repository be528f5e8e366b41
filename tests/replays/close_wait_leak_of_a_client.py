"""Expect: warning many_close_wait *

A program keeps 120 connections in its pool that the server closed. Their local ports are all different."""


def replay(host):
    server = host.listen()
    for _, connection in host.pairs(server, 120, ("127.0.0.1", 8080)):
        connection.close()
