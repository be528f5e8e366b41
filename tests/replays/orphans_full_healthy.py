"""Expect: nothing

There are few orphans."""


def replay(host):
    host.procfs().use_tcp(orphan=6000)
