"""Expect: nothing

A program has 1200 connections in use. Between the snapshots, 150 clients close theirs, and so does the program."""


def replay(host):
    server = host.listen()
    pairs = host.pairs(server, 1350, ("127.0.0.1", 8080))

    def close_some():
        for client, connection in pairs[::9]:
            client.close()
            connection.close()

    host.during_check(close_some)
