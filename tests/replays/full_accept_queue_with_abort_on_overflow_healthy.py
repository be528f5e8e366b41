"""Expect: no warning

The sysctl is set, and no queue overflows."""


def replay(host):
    host.set_sysctl("net.ipv4.tcp_abort_on_overflow", 1)
    server = host.listen(backlog=16)
    host.pairs(server, 60, ("127.0.0.1", 8080))
