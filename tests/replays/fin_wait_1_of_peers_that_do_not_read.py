"""Expect: warning closing_stalled this host

A program closed 120 connections to clients that do not read: the FIN waits behind data, in FIN_WAIT1."""


def replay(host):
    server = host.listen()
    for _, connection in host.pairs(server, 120, ("127.0.0.1", 8080), receive_buffer=2048):
        host.send_until_full(connection)
        connection.close()
    host.wait_for_state("fin-wait-1", 120)
