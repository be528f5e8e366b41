"""Expect: nothing

A program with TCP_DEFER_ACCEPT serves its clients, while the queue of another holds a burst."""

from host import DEFER_ACCEPT


def replay(host):
    host.listen(backlog=128, options=(DEFER_ACCEPT,), accept=True)
    server = host.listen(port=8081, backlog=64)
    host.repeat_requests()
    host.during_check(lambda: host.burst(server))
