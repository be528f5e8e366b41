"""Expect: nothing

All 100 ephemeral ports are in TIME_WAIT, and connect() takes them again (tcp_tw_reuse)."""

import socket

from polling import wait_until


def replay(host):
    host.set_sysctl("net.ipv4.ip_local_port_range", "40000 40099")
    host.set_sysctl("net.ipv4.tcp_tw_reuse", 1)
    server = host.listen()
    for client, connection in host.pairs(server, 100, ("127.0.0.1", 8080)):
        client.close()
        connection.close()

    def connects():
        try:
            host.keep(socket.create_connection(("127.0.0.1", 8080)), server.accept()[0])
        except OSError:
            return False
        return True

    wait_until("connect() takes a port in TIME_WAIT", connects, 10)
