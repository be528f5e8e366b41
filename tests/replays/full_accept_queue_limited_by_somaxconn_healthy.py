"""Expect: nothing

The program requests a backlog of 1000, somaxconn allows 16, and that suffices."""


def replay(host):
    host.set_sysctl("net.core.somaxconn", 16)
    host.listen(backlog=1000, accept=True)
    host.repeat(lambda: host.connect(2), every=0.1)
