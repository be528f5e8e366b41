"""Expect: critical/warning listen_drops this host

A burst overflows a program with backlog 4 between the snapshots, and the program exits."""


def replay(host):
    server = host.listen(backlog=4)

    def burst():
        host.connect(40)
        host.wait_until_waiting(5)
        server.close()

    host.during_check(burst)
