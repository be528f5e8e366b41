"""Expect: nothing

A program connects 100 times, and 30 connections are refused."""


def replay(host):
    host.listen(accept=True)

    def connect():
        host.connect(70)
        host.connect(30, port=9)

    host.during_check(connect)
