"""Expect: nothing

SYNs filled the SYN queue, the kernel sent cookies, and resets emptied the queue. That is over."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=8, accept=True)
    link.send_syns(40)
    host.wait_until_half_open(9)
    link.send_resets(40)
    host.wait_until_half_open(0)
