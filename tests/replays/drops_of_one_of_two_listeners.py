"""Expect: critical/warning listen_drops this host

The kernel counts health checks that end in a reset as drops of two programs. A burst overflows the queue of one:
their counts do not say which."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    server = host.listen(backlog=4)
    host.listen(port=8081, backlog=4, accept=True)

    def check_health_and_burst():
        link.check_health(40, 8080)
        link.check_health(40, 8081)
        host.burst(server, count=20, served=5)

    host.during_check(check_health_and_burst)
