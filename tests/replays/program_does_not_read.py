"""Expect: notice program_not_reading port 8080
Says: 60 of 60
Never says: backlog

A program accepts connections, and its workers hang: nobody reads the requests."""


def replay(host):
    server = host.listen()
    for client, _ in host.pairs(server, 60, ("127.0.0.1", 8080)):
        client.send(b"GET / HTTP/1.1\r\n\r\n")
    host.wait_until_unread(60)
