"""Expect: nothing

A program reads all requests and answers some of them late. Ten connections are new, and have not been read."""


def replay(host):
    server = host.listen()
    pairs = host.pairs(server, 60, ("127.0.0.1", 8080))
    for client, _ in pairs:
        client.send(b"GET / HTTP/1.1\r\n\r\n")
    for _, connection in pairs[:50]:
        connection.recv(100)
