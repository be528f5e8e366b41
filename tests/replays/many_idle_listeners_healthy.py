"""Expect: nothing

Three hundred programs listen, and nobody connects."""


def replay(host):
    for port in range(20000, 20300):
        host.listen(port=port)
