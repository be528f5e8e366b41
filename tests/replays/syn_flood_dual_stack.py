"""Expect: warning syn_queue_full [::]:8080

IPv4 SYNs that are never completed fill the SYN queue of a dual-stack program that accepts."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen("::", backlog=8, accept=True)
    link.send_syns(20)
    host.wait_until_half_open(9)
    host.during_check(lambda: link.send_syns(20, first=100))
