"""Expect: critical/warning listener_dropping 0.0.0.0:8081

A program with TCP_DEFER_ACCEPT serves its clients, while a burst overflows another. The kernel counts bare ACKs as
drops of the first."""

from host import DEFER_ACCEPT


def replay(host):
    host.listen(backlog=128, options=(DEFER_ACCEPT,), accept=True)
    server = host.listen(port=8081, backlog=4)
    host.repeat_requests()
    host.during_check(lambda: host.burst(server, served=5))
