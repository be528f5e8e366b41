"""Expect: critical/warning accept_queue_full 0.0.0.0:8080

A program called listen(0) and does not accept."""


def replay(host):
    host.listen(backlog=0)
    host.connect(1)
    host.wait_until_waiting(1, seconds=2.2)
