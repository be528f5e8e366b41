"""Expect: critical accept_queue_full 0.0.0.0:8080
Says: estart

The program listened while somaxconn was 16. A raised somaxconn has no effect until it listens again."""


def replay(host):
    host.set_sysctl("net.core.somaxconn", 16)
    host.listen(backlog=1000)
    host.set_sysctl("net.core.somaxconn", 4096)
    host.repeat(lambda: host.connect(2), every=0.1)
    host.wait_until_waiting(17)
