"""Expect: warning accept_queue_bursts 0.0.0.0:8080
Says: It was full for 0.

Between the snapshots as many clients connect as the queue holds, for 0.7 seconds. Then the program accepts them."""

import time


def replay(host):
    server = host.listen(backlog=32)

    def burst():
        host.connect(33)
        host.wait_until_waiting(33)
        time.sleep(0.7)
        for _ in range(33):
            host.keep(server.accept()[0])

    host.during_check(burst)
