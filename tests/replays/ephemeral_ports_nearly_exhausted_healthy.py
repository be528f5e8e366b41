"""Expect: nothing

A server has 90 connections from one client. This host's ephemeral ports are another range of 100 ports."""

import socket


def replay(host):
    host.set_sysctl("net.ipv4.ip_local_port_range", "30000 30099")
    server = host.listen()
    for port in range(40000, 40090):
        client = socket.socket()
        client.bind(("127.0.0.1", port))
        client.connect(("127.0.0.1", 8080))
        host.keep(client)
        host.keep(server.accept()[0])
