"""Expect: warning neighbour_table_nearly_full net.ipv6.neigh.default.gc_thresh3

Nine tenths of the neighbour table are in use, and the kernel collects old entries to make room."""


def replay(host):
    host.procfs().set_columns("net/stat/ndisc_cache", entries=930, forced_gc_runs=9)
