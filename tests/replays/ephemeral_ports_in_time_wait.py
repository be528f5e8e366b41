"""Expect: critical ephemeral_ports_exhausted net.ipv4.ip_local_port_range
Says: tcp_tw_reuse

A client that opens a connection for each request has left all 100 ephemeral ports in TIME_WAIT."""


def replay(host):
    host.set_sysctl("net.ipv4.ip_local_port_range", "40000 40099")
    host.set_sysctl("net.ipv4.tcp_tw_reuse", 0)
    server = host.listen()
    for client, connection in host.pairs(server, 100, ("127.0.0.1", 8080)):
        client.close()
        connection.close()
