"""Expect: critical accept_queue_full 0.0.0.0:8080
Expect: warning/notice syn_sent_waiting this host

Clients on the same host connect to a program that does not accept, and forty connections go to an address that does not
answer."""

from host import Link


def replay(host):
    Link(lambda packet: None)
    host.listen(backlog=16)
    host.connect(40)
    host.connect(40, port=9, address="10.98.0.7")
    host.wait_until_counted("TcpExtTCPSynRetrans", 63)
