"""Expect: nothing

120 clients closed their connections, and so did the program."""

from host import Link


def replay(host):
    Link(lambda packet: 0)
    server = host.listen()
    pairs = host.pairs(server, 120, ("10.98.0.7", 8080))
    for client, _ in pairs:
        client.close()
    host.wait_for_state("close-wait", 120)
    for _, connection in pairs:
        connection.close()
    host.wait_for_state("last-ack", 0)
