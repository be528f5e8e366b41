"""Expect: warning/notice syn_sent_waiting this host

Forty connections go to an address that does not answer, and the kernel repeats the SYNs."""

from host import Link


def replay(host):
    Link(lambda packet: None)
    host.connect(40, port=9, address="10.98.0.7")
    host.wait_until_counted("TcpExtTCPSynRetrans", 40)
