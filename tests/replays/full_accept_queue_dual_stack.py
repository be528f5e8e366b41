"""Expect: critical accept_queue_full [::]:8080

A dual-stack program does not accept, and clients with IPv4 and IPv6 keep trying."""


def replay(host):
    host.listen("::", backlog=16)
    host.repeat(lambda: host.connect(1, address="127.0.0.1") + host.connect(1, address="::1"), every=0.1)
    host.wait_until_waiting(17)
