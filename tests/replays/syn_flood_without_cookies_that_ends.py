"""Expect: critical syns_dropped 10.98.0.1:8080

With tcp_syncookies=0 a flood fills the SYN queue between the snapshots. Resets empty the queue."""

from host import Link


def replay(host):
    host.set_sysctl("net.ipv4.tcp_syncookies", 0)
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=8, accept=True)

    def flood():
        link.send_syns(40)
        link.send_resets(40)

    host.during_check(flood)
