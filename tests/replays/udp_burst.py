"""Expect: critical/warning udp_dropping UDP 127.0.0.1:5300

Between the snapshots, a burst overflows the buffer of a program that then reads it."""


def replay(host):
    server = host.udp(5300)

    def burst():
        host.send_udp(5300, 200)
        host.read_udp(server)

    host.during_check(burst)
