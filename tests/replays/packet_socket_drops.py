"""Expect: warning packet_socket_drops packet ip sockets of python3

A program reads its packet socket too slowly."""

from fault_injection import ETH_P_IP, packet_receiver, read_all


def replay(host):
    receiver = host.keep(packet_receiver(ETH_P_IP))

    def burst():
        host.send_udp(9, 100)
        read_all(receiver)

    host.during_check(burst)
