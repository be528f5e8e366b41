"""Expect: nothing

A program that listens on one device accepts."""

import socket


def replay(host):
    device = (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    host.listen(backlog=16, options=(device,), accept=True)
    host.repeat(lambda: host.connect(2), every=0.1)
