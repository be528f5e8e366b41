"""Expect: nothing

A program that listens on an IPv6 address accepts."""


def replay(host):
    host.listen("::1", backlog=16, accept=True)
    host.repeat(lambda: host.connect(2, address="::1"), every=0.1)
