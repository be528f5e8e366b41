"""Expect: nothing

Of two hundred clients, two have lost a SYN-ACK and repeat their SYN."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen(backlog=128, accept=True)
    link.send_syns(2)
    host.wait_until_counted("TcpRetransSegs", 2)
    link.send_syns(2)
    host.repeat(lambda: host.connect(10))
