"""Expect: critical listener_stuck 0.0.0.0:8080
Says: One thread of
Says: busy loop

A program computes for ever instead of accepting its four clients."""


def replay(host):
    host.server_process(work_seconds=1000)
    host.connect(5)  # the first is accepted
    host.wait_until_waiting(4, seconds=2.2)
