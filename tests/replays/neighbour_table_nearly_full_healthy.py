"""Expect: nothing

A routing program has added more entries than gc_thresh3, which do not count against it."""


def replay(host):
    host.procfs().set_columns("net/stat/ndisc_cache", entries=5000)
