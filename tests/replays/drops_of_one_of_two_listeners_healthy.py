"""Expect: nothing

The kernel counts health checks that end in a reset as drops of two programs. A burst fits into the queue of one."""

from host import Link


def replay(host):
    link = Link(lambda packet: None)
    server = host.listen(backlog=64)
    host.listen(port=8081, backlog=64, accept=True)

    def check_health_and_burst():
        link.check_health(40, 8080)
        link.check_health(40, 8081)
        host.burst(server, count=20)

    host.during_check(check_health_and_burst)
