"""Expect: no warning

Forty clients connected at once to a program with backlog 4, and some were dropped. That is over."""


def replay(host):
    host.burst(host.listen(backlog=4), served=5)
    host.wait_until_none_waits()
