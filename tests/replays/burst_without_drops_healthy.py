"""Expect: nothing

Between the snapshots 33 clients connect at once, and wait for 0.7 seconds in a queue that holds 129."""

import time


def replay(host):
    server = host.listen(backlog=128)

    def burst():
        host.connect(33)
        host.wait_until_waiting(33)
        time.sleep(0.7)
        for _ in range(33):
            host.keep(server.accept()[0])

    host.during_check(burst)
