"""Expect: nothing

A program accepts a hundred connections a second, and as many come. Each waits for a tenth of a second."""


def replay(host):
    server = host.listen(backlog=128)
    host.connect(10)

    def accept_one():
        host.connect(1)
        host.keep(server.accept()[0])

    host.repeat(accept_one, every=0.01)
