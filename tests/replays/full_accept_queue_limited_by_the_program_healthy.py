"""Expect: nothing

The program requests a backlog of 64, and twenty clients wait for a moment."""


def replay(host):
    server = host.listen(backlog=64)
    host.connect(20)
    host.wait_until_waiting(20)
    host.accept(server)
