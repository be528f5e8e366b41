"""Expect: nothing

The program listened while somaxconn was 16, and listens again with a higher somaxconn. Twenty clients wait for a
moment."""


def replay(host):
    host.set_sysctl("net.core.somaxconn", 16)
    server = host.listen(backlog=1000)
    host.set_sysctl("net.core.somaxconn", 4096)
    server.listen(1000)
    host.connect(20)
    host.wait_until_waiting(20)
    host.accept(server)
