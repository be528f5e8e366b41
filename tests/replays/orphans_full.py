"""Expect: critical orphans_full net.ipv4.tcp_max_orphans

There are as many orphans as tcp_max_orphans allows."""


def replay(host):
    host.procfs().use_tcp(orphan=65536)
