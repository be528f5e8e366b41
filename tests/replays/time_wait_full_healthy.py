"""Expect: nothing

Two thousand connections are in TIME_WAIT, of 131072."""


def replay(host):
    host.set_sysctl("net.ipv4.tcp_max_tw_buckets", 131072)
    server = host.listen()
    for client, connection in host.pairs(server, 2000, ("127.0.0.1", 8080)):
        client.close()
        connection.close()
