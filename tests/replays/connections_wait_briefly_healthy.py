"""Expect: nothing

A program accepts each connection after a third of a second. Three wait in both snapshots, but not the same."""


def replay(host):
    server = host.listen(backlog=128)
    host.connect(3)
    host.wait_until_waiting(3)

    def accept_one():
        host.connect(1)
        host.keep(server.accept()[0])

    host.repeat(accept_one, every=0.1)
