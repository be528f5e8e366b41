"""Expect: nothing

The SYN queue holds a burst of SYNs between the snapshots. Resets empty it."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen(Link.ADDRESS, backlog=128, accept=True)

    def flood():
        link.send_syns(40)
        host.wait_until_half_open(40)
        link.send_resets(40)

    host.during_check(flood)
