"""Expect: no warning
Never says: retransmitted

A few servers of many are out of reach: 15 of 100."""

from host import Link


def replay(host):
    link = Link(lambda packet: 0)
    server = host.listen()
    near = host.pairs(server, 85, ("127.0.0.1", 8080))
    far = host.pairs(server, 15, ("10.98.0.7", 8080))
    link.policy = lambda packet: None
    for client, _ in near + far:
        client.send(b"x" * 100)
    for _, connection in near:
        connection.recv(100)
    host.wait_until_counted("TcpExtTCPTimeouts", 30)
