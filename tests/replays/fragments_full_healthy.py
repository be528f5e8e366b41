"""Expect: nothing

Fragments were lost on the way, so that their datagrams wait for the rest. There is room for many more."""


def replay(host):
    host.send_fragments(50)
    host.during_check(lambda: host.send_fragments(50, first=50))
