"""Expect: nothing

A program computes for a moment for each client, and accepts them."""


def replay(host):
    host.server_process(work_seconds=0.005)
    host.repeat(lambda: host.connect(1), every=0.1)
    host.wait_until_none_waits()
