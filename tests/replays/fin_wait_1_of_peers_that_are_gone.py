"""Expect: warning closing_stalled this host
Allow: warning retransmissions this host

A program closed 120 connections to clients that are no longer reachable."""

from host import Link


def replay(host):
    link = Link(lambda packet: 0)
    server = host.listen()
    pairs = host.pairs(server, 120, ("10.98.0.7", 8080))
    link.policy = lambda packet: None
    for _, connection in pairs:
        connection.send(b"response")
        connection.close()
    host.wait_for_state("fin-wait-1", 120)
