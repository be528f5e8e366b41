"""Expect: nothing

A load balancer checks a program with a SYN, and resets the connection when the SYN-ACK arrives."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=128, accept=True)
    host.repeat(lambda: link.check_health(4))
