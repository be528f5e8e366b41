"""Expect: critical accept_queue_full 0.0.0.0:8080
Says: set by the program

The program requests a backlog of 16."""


def replay(host):
    host.listen(backlog=16)
    host.repeat(lambda: host.connect(2), every=0.1)
    host.wait_until_waiting(17)
