"""Expect: nothing

Between the snapshots, a burst fits into the buffer of a program that then reads it."""


def replay(host):
    server = host.udp(5300, receive_buffer=200000)

    def burst():
        host.send_udp(5300, 200)
        host.read_udp(server)

    host.during_check(burst)
