"""Expect: warning syn_cookies_unanswered this host

With tcp_syncookies=2 a flood gets cookies that nobody answers."""

from host import Link


def replay(host):
    host.set_sysctl("net.ipv4.tcp_syncookies", 2)
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=128, accept=True)
    host.repeat(lambda: link.send_syns(50))
