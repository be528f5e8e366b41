"""Expect: critical accept_queue_full 0.0.0.0:8080
Says: net.core.somaxconn = 16

The program requests a backlog of 1000, and somaxconn allows 16."""


def replay(host):
    host.set_sysctl("net.core.somaxconn", 16)
    host.listen(backlog=1000)
    host.repeat(lambda: host.connect(2), every=0.1)
    host.wait_until_waiting(17)
