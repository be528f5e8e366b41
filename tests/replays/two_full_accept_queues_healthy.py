"""Expect: nothing

Two programs accept all connections."""


def replay(host):
    for port in (8080, 8081):
        host.listen(port=port, backlog=16, accept=True)
        host.repeat(lambda port=port: host.connect(2, port=port), every=0.1)
