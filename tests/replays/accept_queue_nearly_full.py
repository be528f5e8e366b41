"""Expect: warning accept_queue_nearly_full 0.0.0.0:8080

A program accepts 200 connections a second, and as many come. Its queue of 100 holds 85 to 95."""


def replay(host):
    server = host.listen(backlog=99)
    host.connect(85)
    host.wait_until_waiting(85)

    def accept_ten():
        host.connect(10)
        host.keep(*(server.accept()[0] for _ in range(10)))

    host.repeat(accept_ten)
