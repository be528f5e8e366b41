"""Expect: nothing

The neighbour table was full in the past. It has room, and neighbours come and go."""


def replay(host):
    proc = host.procfs()
    proc.set_columns("net/stat/arp_cache", entries=700, table_fulls=40)
    host.during_check(lambda: proc.set_columns("net/stat/arp_cache", entries=700, table_fulls=40, allocs=0x40000))
