"""Expect: notice peers_unreachable port 8080
Allow: warning retransmissions this host

Clients that have gone stay for minutes, and others of a server for a second: 60 of 100 open connections are theirs."""

from host import Link


def replay(host):
    link = Link(lambda packet: 0)
    server = host.listen()
    near = host.pairs(server, 40, ("127.0.0.1", 8080))
    far = host.pairs(server, 60, ("10.98.0.7", 8080))
    link.policy = lambda packet: None
    for _, connection in near + far:
        connection.send(b"x" * 100)
    for client, _ in near:
        client.recv(100)
    host.wait_until_counted("TcpExtTCPTimeouts", 120)
