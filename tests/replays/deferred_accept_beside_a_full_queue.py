"""Expect: critical accept_queue_full 0.0.0.0:8081

A program with TCP_DEFER_ACCEPT serves its clients, while another does not accept. The kernel counts bare ACKs as drops
of the first."""

from host import DEFER_ACCEPT


def replay(host):
    host.listen(backlog=128, options=(DEFER_ACCEPT,), accept=True)
    host.listen(port=8081, backlog=4)
    host.repeat_requests()
    host.repeat(lambda: host.connect(1, port=8081))
    host.wait_until_waiting(5, port=8081)
