"""Expect: critical accept_queue_full 0.0.0.0:8080*in namespace blue

A program in another network namespace does not accept, and clients keep trying."""


def replay(host):
    host.listen(accept=True)
    with host.other_namespace("blue"):
        host.listen(backlog=16)
        host.repeat(lambda: host.connect(2), every=0.1)
        host.wait_until_waiting(17)
