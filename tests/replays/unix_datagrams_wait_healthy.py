"""Expect: nothing

Three datagrams wait in the queue of a program, which has room for more."""


def replay(host):
    host.unix("log.sock")
    host.fill_unix("log.sock", most=3)
