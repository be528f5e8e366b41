"""Expect: nothing

A program keeps files open, and its limit allows more. It accepts its clients."""


def replay(host):
    host.server_process(open_files=20)
    host.connect(4)
    host.wait_until_none_waits()
