"""Expect: warning conntrack_dropping net.netfilter.nf_conntrack_max

Conntrack drops packets although its table is nearly empty, as for parallel DNS queries through NAT."""


def replay(host):
    proc = host.procfs()
    host.during_check(lambda: proc.count("net/stat/nf_conntrack", "drop", 50))
