"""Expect: warning syn_acks_unanswered 0.0.0.0:8080

The SYN-ACKs to sixty clients are lost, and the clients repeat their SYNs every second."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    host.listen(backlog=128, accept=True)
    host.repeat(lambda: link.send_syns(60), every=1)
    host.wait_until_counted("TcpRetransSegs", 120)
