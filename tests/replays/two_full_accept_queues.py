"""Expect: critical accept_queue_full 0.0.0.0:8080
Expect: critical accept_queue_full 0.0.0.0:8081

Two programs do not accept, and clients keep trying."""


def replay(host):
    for port in (8080, 8081):
        host.listen(port=port, backlog=16)
        host.repeat(lambda port=port: host.connect(2, port=port), every=0.1)
        host.wait_until_waiting(17, port=port)
