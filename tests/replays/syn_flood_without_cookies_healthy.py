"""Expect: no warning

With tcp_syncookies=0, half of the SYN queue is in use."""

from host import Link


def replay(host):
    host.set_sysctl("net.ipv4.tcp_syncookies", 0)
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=8, accept=True)
    link.send_syns(4)
    host.wait_until_half_open(4)
