"""Expect: warning orphans_near_limit net.ipv4.tcp_max_orphans

There are three quarters of the orphans that tcp_max_orphans allows. The kernel counts some of them up to four times."""


def replay(host):
    host.procfs().use_tcp(orphan=50000)
