"""Expect: nothing

A program requests a backlog of 1000, somaxconn allows 16, and it accepts."""


def replay(host):
    host.set_sysctl("net.core.somaxconn", 16)
    host.accept(host.unix("app.sock", backlog=1000))
    host.repeat(lambda: host.connect_unix("app.sock", 1))
