"""Expect: no warning

A program filters datagrams with BPF (SO_ATTACH_FILTER). The kernel counts these as drops of the socket."""

import ctypes
import socket
import struct

SO_ATTACH_FILTER = 26


def replay(host):
    server = host.udp(5300)
    drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
    server.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(drop_all)))
    host.repeat(lambda: host.send_udp(5300, 20))
