"""Expect: nothing

Sixty connections are in TIME_WAIT, of a hundred."""


def replay(host):
    host.set_sysctl("net.ipv4.tcp_max_tw_buckets", 100)
    server = host.listen()
    for client, connection in host.pairs(server, 60, ("127.0.0.1", 8080)):
        client.close()
        connection.close()
