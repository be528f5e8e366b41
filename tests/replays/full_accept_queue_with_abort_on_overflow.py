"""Expect: critical accept_queue_full 0.0.0.0:8080
Expect: warning abort_on_overflow this host

A program with backlog 16 does not accept, and the kernel resets connections."""


def replay(host):
    host.set_sysctl("net.ipv4.tcp_abort_on_overflow", 1)
    host.listen(backlog=16)
    host.repeat(lambda: host.connect(2), every=0.1)
    host.wait_until_waiting(17)
