"""Expect: critical unix_queue_full UNIX app.sock
Says: net.core.somaxconn

A program requests a backlog of 1000, somaxconn allows 16, and it does not accept."""


def replay(host):
    host.set_sysctl("net.core.somaxconn", 16)
    host.unix("app.sock", backlog=1000)
    host.connect_unix("app.sock", 20)
