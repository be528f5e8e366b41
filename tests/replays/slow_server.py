"""Expect: warning accept_queue_slow 0.0.0.0:8080

A program accepts ten connections a second, and as many come. Each waits for three seconds."""


def replay(host):
    server = host.listen(backlog=128)
    host.connect(30)
    host.wait_until_waiting(30, seconds=1.5)

    def accept_one():
        host.connect(1)
        host.keep(server.accept()[0])

    host.repeat(accept_one, every=0.1)
