"""Expect: critical ephemeral_ports_exhausted net.ipv4.ip_local_port_range

All 100 ephemeral ports have a connection to one destination, and connect() fails with EADDRNOTAVAIL."""

import errno
import socket

import pytest


def replay(host):
    host.set_sysctl("net.ipv4.ip_local_port_range", "40000 40099")
    server = host.listen()
    host.pairs(server, 100, ("127.0.0.1", 8080))
    with pytest.raises(OSError) as error:
        socket.create_connection(("127.0.0.1", 8080))
    assert error.value.errno == errno.EADDRNOTAVAIL
