"""Expect: nothing

Conntrack dropped packets in the past, and finds entries all the time."""


def replay(host):
    proc = host.procfs()
    proc.count("net/stat/nf_conntrack", "drop", 50)
    host.during_check(lambda: proc.count("net/stat/nf_conntrack", "found", 50))
