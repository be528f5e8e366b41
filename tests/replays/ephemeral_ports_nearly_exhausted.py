"""Expect: warning ephemeral_ports_nearly_exhausted net.ipv4.ip_local_port_range
Says: 90 %

Of 100 ephemeral ports, 90 have a connection to one destination."""


def replay(host):
    host.set_sysctl("net.ipv4.ip_local_port_range", "40000 40099")
    server = host.listen()
    host.pairs(server, 90, ("127.0.0.1", 8080))
