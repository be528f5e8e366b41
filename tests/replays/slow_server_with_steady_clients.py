"""Expect: warning accept_queue_slow 0.0.0.0:8080

A program accepts ten connections a second, and as many come, one after the other. The oldest has always waited for two
seconds."""

import time


def replay(host):
    server = host.listen(backlog=128)
    for _ in range(20):
        host.connect(1)
        time.sleep(0.1)  # the age of a connection is the fault

    def accept_one():
        host.connect(1)
        host.keep(server.accept()[0])

    host.repeat(accept_one, every=0.1)
