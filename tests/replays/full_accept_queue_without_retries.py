"""Expect: critical/warning accept_queue_full 0.0.0.0:8080

The queue is full, and nobody tries to connect."""


def replay(host):
    host.listen(backlog=16)
    host.connect(17)
    host.wait_until_waiting(17, seconds=2.2)
