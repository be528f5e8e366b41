"""Expect: critical listener_stuck 0.0.0.0:8080
Says: is stopped (SIGSTOP or job control)
Says: kill -CONT
Never says: gdb

A parent opens a listener, for which only its worker calls accept(). The worker is stopped."""


def replay(host):
    worker = host.worker_process(host.listen())
    host.connect()
    host.wait_until_none_waits()
    host.stop(worker)
    host.connect(4)
    host.wait_until_waiting(4, seconds=2.2)
