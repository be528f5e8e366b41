"""Expect: nothing

A program accepts 200 connections a second, and as many come. Its queue of 100 holds 30 to 40."""


def replay(host):
    server = host.listen(backlog=99)
    host.connect(30)
    host.wait_until_waiting(30)

    def accept_ten():
        host.connect(10)
        host.keep(*(server.accept()[0] for _ in range(10)))

    host.repeat(accept_ten)
