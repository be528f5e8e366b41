"""Expect: nothing

A program has a raw socket only to send. Everything that it receives stays unread."""

from fault_injection import raw_receiver, send_icmp


def replay(host):
    host.keep(raw_receiver())
    send_icmp(100)
    host.during_check(lambda: send_icmp(100))
