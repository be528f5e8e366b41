"""Expect: warning softnet_dropping *

A CPU drops packets before protocol processing."""


def replay(host):
    proc = host.procfs()
    host.during_check(lambda: proc.count("net/softnet_stat", 1, 50))
