"""Expect: critical accept_queue_full 0.0.0.0:8080

Eighty clients on the same host connect to a program that does not accept. The kernel repeats their SYNs."""


def replay(host):
    host.listen(backlog=16)
    host.connect(80)
    host.wait_until_counted("TcpExtTCPSynRetrans", 63)
