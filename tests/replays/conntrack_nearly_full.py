"""Expect: warning conntrack_nearly_full net.netfilter.nf_conntrack_max

Nine tenths of the conntrack table are in use."""


def replay(host):
    host.procfs().write("sys/net/netfilter/nf_conntrack_count", "236000\n")
