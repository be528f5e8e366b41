"""Expect: critical accept_queue_full 0.0.0.0:8080
Says: 17 of 17

A program with backlog 16 does not accept, and clients keep trying."""


def replay(host):
    host.listen(backlog=16)
    host.repeat(lambda: host.connect(2), every=0.1)
    host.wait_until_waiting(17)
