"""Expect: critical syn_queue_full 10.98.0.1:8080

With tcp_syncookies=0 the kernel drops SYNs at the backlog of 8."""

from host import Link


def replay(host):
    host.set_sysctl("net.ipv4.tcp_syncookies", 0)
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=8, accept=True)
    link.send_syns(20)
    host.during_check(lambda: link.send_syns(20, first=100))
