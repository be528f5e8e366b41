"""Expect: nothing

Five hundred clients connect at once, the queue holds them, and the program accepts them between the snapshots."""


def replay(host):
    server = host.listen(backlog=1000)

    def burst():
        host.connect(500)
        host.wait_until_waiting(500)
        host.accept(server)

    host.during_check(burst)
