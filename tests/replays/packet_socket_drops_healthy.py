"""Expect: nothing

A capture was stopped: its socket is full and drops what comes."""

from fault_injection import ETH_P_IP, packet_receiver


def replay(host):
    host.keep(packet_receiver(ETH_P_IP))
    host.send_udp(9, 100)
    host.during_check(lambda: host.send_udp(9, 100))
