"""Expect: nothing

Of 150 clients, 140 closed their connections, and so did the program."""


def replay(host):
    server = host.listen(backlog=1000)
    for client, connection in host.pairs(server, 150, ("127.0.0.1", 8080))[:140]:
        client.close()
        connection.recv(1)
        connection.close()
