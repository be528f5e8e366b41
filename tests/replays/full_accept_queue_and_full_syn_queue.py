"""Expect: critical accept_queue_full 10.98.0.1:8080
Never says: believe

Both queues are full, as after a flood. Now that the accept queue is full the kernel drops SYNs and sends no cookie."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=8)
    link.send_syns(9)
    host.wait_until_half_open(9)
    host.connect(9, address=Link.ADDRESS)
    host.wait_until_waiting(9)
    host.repeat(lambda: host.connect(2, address=Link.ADDRESS), every=0.1)
