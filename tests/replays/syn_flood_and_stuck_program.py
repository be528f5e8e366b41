"""Expect: critical cookies_and_full_accept_queue 10.98.0.1:8080

SYNs that are never completed fill the SYN queue of a program that does not accept. The kernel sends cookies, so clients
believe that they are connected, until the accept queue is full."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=8)
    link.send_syns(9)
    host.wait_until_half_open(9)

    def flood_and_connect():
        link.send_syns(20, first=100)
        host.connect(15, address=Link.ADDRESS)
        host.wait_until_waiting(9)

    host.during_check(flood_and_connect)
