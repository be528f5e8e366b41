"""Expect: nothing

Half of the conntrack table is in use."""


def replay(host):
    host.procfs().write("sys/net/netfilter/nf_conntrack_count", "131072\n")
