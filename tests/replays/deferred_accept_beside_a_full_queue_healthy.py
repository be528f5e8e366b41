"""Expect: nothing

A program with TCP_DEFER_ACCEPT and another serve their clients."""

from host import DEFER_ACCEPT


def replay(host):
    host.listen(backlog=128, options=(DEFER_ACCEPT,), accept=True)
    host.listen(port=8081, backlog=4, accept=True)
    host.repeat_requests()
    host.repeat(lambda: host.connect(1, port=8081))
