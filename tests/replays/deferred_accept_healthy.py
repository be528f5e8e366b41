"""Expect: nothing

With TCP_DEFER_ACCEPT the kernel puts the bare ACKs of clients aside until they send a request. All are served."""

from host import DEFER_ACCEPT


def replay(host):
    host.listen(backlog=128, options=(DEFER_ACCEPT,), accept=True)
    host.repeat_requests()
