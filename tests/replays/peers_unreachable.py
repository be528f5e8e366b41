"""Expect: warning peers_unreachable outgoing connections
Says: 60 of 100
Allow: warning retransmissions this host

The network to 60 of 100 servers is gone, and programs send to all of them."""

from host import Link


def replay(host):
    link = Link(lambda packet: 0)
    server = host.listen()
    near = host.pairs(server, 40, ("127.0.0.1", 8080))
    far = host.pairs(server, 60, ("10.98.0.7", 8080))
    link.policy = lambda packet: None
    for client, _ in near + far:
        client.send(b"x" * 100)
    for _, connection in near:
        connection.recv(100)
    host.wait_until_counted("TcpExtTCPTimeouts", 120)
