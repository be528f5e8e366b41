"""Expect: nothing

A CPU processes packets, and dropped one in the past."""


def replay(host):
    proc = host.procfs()
    host.during_check(lambda: proc.count("net/softnet_stat", 0, 50))
