"""Expect: warning many_close_wait port 8080

A program does not close 150 connections that its clients closed, and has 1200 that are in use."""


def replay(host):
    server = host.listen()
    pairs = host.pairs(server, 1350, ("127.0.0.1", 8080))
    for client, _ in pairs[::9]:
        client.close()
