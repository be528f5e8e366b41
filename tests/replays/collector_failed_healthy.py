"""Expect: nothing

All files of procfs can be read."""


def replay(host):
    host.procfs()
