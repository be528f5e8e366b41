"""Expect: nothing

A dual-stack program accepts connections of both families."""


def replay(host):
    host.listen("::", backlog=16, accept=True)
    host.repeat(lambda: host.connect(1, address="127.0.0.1") + host.connect(1, address="::1"), every=0.1)
