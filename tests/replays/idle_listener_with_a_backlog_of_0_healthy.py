"""Expect: nothing

Programs called listen(0), and nobody connects."""


def replay(host):
    host.listen(port=8080, backlog=0)
    host.listen(port=8081, backlog=0)
