"""Expect: nothing

Three hundred clients have just closed their connections, and the program closes them between the snapshots."""


def replay(host):
    server = host.listen()
    pairs = host.pairs(server, 300, ("127.0.0.1", 8080))
    for client, _ in pairs:
        client.close()
    host.during_check(lambda: [connection.close() for _, connection in pairs])
