"""Expect: no warning

Datagrams with wrong checksums arrive, and the program reads all others. The kernel counts the wrong ones as drops of
the socket."""

import socket
import struct


def replay(host):
    host.read_udp(host.udp(5300, receive_buffer=65536))
    raw = host.keep(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP))
    # Those of up to 76 bytes are dropped before the kernel has found the socket (CHECKSUM_BREAK).
    datagram = struct.pack("!HHHH", 9999, 5300, 208, 0xBAD) + b"x" * 200
    host.repeat(lambda: [raw.sendto(datagram, ("127.0.0.1", 0)) for _ in range(20)])
