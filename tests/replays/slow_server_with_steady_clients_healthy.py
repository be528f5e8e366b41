"""Expect: nothing

A program accepts ten connections a second, and as many come, one after the other. The oldest has always waited for half
a second."""

import time


def replay(host):
    server = host.listen(backlog=128)
    for _ in range(5):
        host.connect(1)
        time.sleep(0.1)  # the age of a connection matters

    def accept_one():
        host.connect(1)
        host.keep(server.accept()[0])

    host.repeat(accept_one, every=0.1)
