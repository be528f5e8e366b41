"""Expect: critical accept_queue_full [::1]:8080

A program that listens on an IPv6 address does not accept, and clients keep trying."""


def replay(host):
    host.listen("::1", backlog=16)
    host.repeat(lambda: host.connect(2, address="::1"), every=0.1)
    host.wait_until_waiting(17)
