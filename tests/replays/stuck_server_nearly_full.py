"""Expect: critical listener_stuck 0.0.0.0:8080
Allow: warning accept_queue_nearly_full 0.0.0.0:8080

A program does not accept, and its queue of 100 holds 85 connections."""


def replay(host):
    host.listen(backlog=99)
    host.connect(85)
    host.wait_until_waiting(85, seconds=2.2)
