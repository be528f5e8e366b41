"""Expect: critical listener_stuck 0.0.0.0:8080
Never says: does not close

A program with backlog 1000 does not accept. Of 150 waiting clients, 140 gave up: their connections are in CLOSE_WAIT,
but the program has none of them yet."""


def replay(host):
    host.listen(backlog=1000)
    clients = host.connect(150)
    host.wait_until_waiting(150)
    for client in clients[:140]:
        client.close()
    host.wait_until_waiting(150, seconds=2.2)
