"""Expect: warning raw_packets_dropped raw icmp ipv4 sockets of python3

A program reads its raw socket too slowly."""

from fault_injection import raw_receiver, read_all, send_icmp


def replay(host):
    receiver = host.keep(raw_receiver())

    def burst():
        send_icmp(100)
        read_all(receiver)

    host.during_check(burst)
