"""Expect: nothing

Three quarters of the conntrack table are in use."""


def replay(host):
    host.procfs().write("sys/net/netfilter/nf_conntrack_count", "196000\n")
