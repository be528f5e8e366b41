"""Expect: critical syn_queue_full 10.98.0.1:8080
Says: tcp_max_syn_backlog

With tcp_syncookies=0 the kernel drops SYNs at three quarters of tcp_max_syn_backlog, far below the backlog of 4096."""

from host import Link


def replay(host):
    host.set_sysctl("net.ipv4.tcp_syncookies", 0)
    host.set_sysctl("net.ipv4.tcp_max_syn_backlog", 16)
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=4096, accept=True)
    link.send_syns(60)
    host.during_check(lambda: link.send_syns(20, first=100))
