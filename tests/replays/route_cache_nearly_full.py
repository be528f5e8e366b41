"""Expect: warning route_cache_nearly_full net.ipv6.route.max_size

A kernel that limits the route cache of IPv6 has nearly as many entries as that."""


def replay(host):
    proc = host.procfs()
    proc.write("sys/kernel/osrelease", "5.10.0-20-amd64\n")
    proc.write("sys/net/ipv6/route/max_size", "4096\n")
    proc.write("net/rt6_stats", "0009 0006 0012 0007 0000 0f00 0000\n")
