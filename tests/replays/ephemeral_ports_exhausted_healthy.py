"""Expect: nothing

All 100 ephemeral ports are in use, by connections to two destinations."""


def replay(host):
    host.set_sysctl("net.ipv4.ip_local_port_range", "40000 40099")
    server = host.listen()
    for address in ("127.0.0.1", "127.0.0.2"):
        host.pairs(server, 50, (address, 8080))
