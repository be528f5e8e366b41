"""Expect: warning connects_failing this host

A program connects to a port where nothing listens, again and again."""


def replay(host):
    host.during_check(lambda: host.connect(40, port=9))
