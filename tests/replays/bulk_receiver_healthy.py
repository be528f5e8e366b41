"""Expect: no warning
Allow: warning retransmissions this host

A program receives 60 streams as fast as it can, and the senders are faster: all receive buffers are full."""

import contextlib
import socket


def replay(host):
    server = host.listen(options=((socket.SOL_SOCKET, socket.SO_RCVBUF, 262144),))
    pairs = host.pairs(server, 60, ("127.0.0.1", 8080))
    for client, connection in pairs:
        client.setblocking(False)
        connection.setblocking(False)

    def send():
        for client, _ in pairs:
            with contextlib.suppress(BlockingIOError):
                while True:
                    client.send(b"x" * 65536)

    def read():
        for _, connection in pairs:
            with contextlib.suppress(BlockingIOError):
                connection.recv(65536)

    host.repeat(send, every=0.01)
    host.repeat(read, every=0.05)
    host.wait_until_unread(60)
