"""Expect: critical accept_queue_full 0.0.0.0:8080 on lo

A program that listens on one device does not accept, and clients keep trying."""

import socket


def replay(host):
    device = (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    host.listen(backlog=16, options=(device,))
    host.repeat(lambda: host.connect(2), every=0.1)
    host.wait_until_waiting(17)
