"""Expect: critical conntrack_full net.netfilter.nf_conntrack_max

The conntrack table is full, and packets are dropped."""


def replay(host):
    proc = host.procfs()
    proc.write("sys/net/netfilter/nf_conntrack_count", "262144\n")
    host.during_check(lambda: proc.count("net/stat/nf_conntrack", "drop", 50))
