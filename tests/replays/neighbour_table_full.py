"""Expect: critical neighbour_table_full net.ipv4.neigh.default.gc_thresh3
Says: for all network namespaces together

The neighbour table is full, and packets to new neighbours are dropped."""


def replay(host):
    proc = host.procfs()
    proc.set_columns("net/stat/arp_cache", entries=1024)
    host.during_check(lambda: proc.set_columns("net/stat/arp_cache", entries=1024, table_fulls=40))
