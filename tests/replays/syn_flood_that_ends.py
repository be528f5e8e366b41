"""Expect: warning syn_cookies_sent this host

SYNs fill the SYN queue between the snapshots, and the kernel sends cookies. Resets empty the queue."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=8, accept=True)

    def flood():
        link.send_syns(40)
        host.wait_until_half_open(9)
        link.send_resets(40)

    host.during_check(flood)
