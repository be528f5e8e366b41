"""Expect: nothing

A program in another network namespace accepts."""


def replay(host):
    host.listen(accept=True)
    with host.other_namespace("blue"):
        host.listen(backlog=16, accept=True)
        host.repeat(lambda: host.connect(2), every=0.1)
