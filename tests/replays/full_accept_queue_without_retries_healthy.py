"""Expect: nothing

The queue is full for a moment, and the program accepts all of it between the snapshots."""


def replay(host):
    server = host.listen(backlog=16)
    host.connect(17)
    host.wait_until_waiting(17)
    host.during_check(lambda: [host.keep(server.accept()[0]) for _ in range(17)])
