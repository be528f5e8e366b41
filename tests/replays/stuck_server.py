"""Expect: critical listener_stuck 0.0.0.0:8080

A program with backlog 128 does not accept. Five clients have waited for more than two seconds."""


def replay(host):
    host.listen(backlog=128)
    host.connect(5)
    host.wait_until_waiting(5, seconds=2.2)
