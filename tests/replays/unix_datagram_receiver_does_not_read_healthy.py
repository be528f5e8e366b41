"""Expect: nothing

A program reads its datagram socket."""

import threading


def replay(host):
    receiver = host.unix("log.sock")

    def read():
        while True:
            receiver.recv(10)

    threading.Thread(target=read, daemon=True).start()
    sender = host.fill_unix("log.sock", most=5)
    sender.setblocking(True)
    host.repeat(lambda: sender.send(b"x"))
