"""Expect: nothing

A kernel without a limit of the route cache, on which max_size is set by an old configuration."""


def replay(host):
    proc = host.procfs()
    proc.write("sys/net/ipv6/route/max_size", "4096\n")
    proc.write("net/rt6_stats", "0009 0006 0012 0007 0000 0f00 0000\n")
