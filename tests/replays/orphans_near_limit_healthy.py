"""Expect: nothing

There are a third of the orphans that tcp_max_orphans allows."""


def replay(host):
    host.procfs().use_tcp(orphan=21000)
