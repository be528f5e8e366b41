"""Expect: warning listener_stuck 0.0.0.0:8080

A program that serves one connection at a time is busy with one. The next client has waited for two seconds."""


def replay(host):
    server = host.listen(backlog=5)
    host.pairs(server, 1, ("127.0.0.1", 8080))
    host.connect(1)
    host.wait_until_waiting(1, seconds=2.2)
