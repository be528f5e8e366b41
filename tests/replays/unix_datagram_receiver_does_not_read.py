"""Expect: warning unix_datagrams_unread UNIX log.sock

A program does not read its datagram socket, and a sender is blocked."""

import threading


def replay(host):
    host.unix("log.sock")
    sender = host.fill_unix("log.sock")
    sender.setblocking(True)
    threading.Thread(target=lambda: sender.send(b"x"), daemon=True).start()
