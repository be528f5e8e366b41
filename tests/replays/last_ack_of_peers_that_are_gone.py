"""Expect: warning closing_stalled this host
Allow: warning retransmissions this host

120 clients closed their connections and are no longer reachable. The program closed its side."""

from host import Link


def replay(host):
    link = Link(lambda packet: 0)
    server = host.listen()
    pairs = host.pairs(server, 120, ("10.98.0.7", 8080))
    for client, _ in pairs:
        client.close()
    host.wait_for_state("close-wait", 120)
    link.policy = lambda packet: None
    for _, connection in pairs:
        connection.close()
    host.wait_for_state("last-ack", 120)
