"""Expect: no warning

With tcp_syncookies=1 tcp_max_syn_backlog has no effect: 60 half-open connections are few for a backlog of 4096."""

from host import Link


def replay(host):
    host.set_sysctl("net.ipv4.tcp_max_syn_backlog", 16)
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=4096, accept=True)
    link.send_syns(60)
    host.wait_until_half_open(60)
