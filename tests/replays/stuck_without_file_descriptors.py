"""Expect: critical listener_stuck 0.0.0.0:8080
Says: file descriptors open: accept() fails with EMFILE
Says: LimitNOFILE=

A program keeps files open, as many as its limit allows. accept() fails, and the program tries again later."""


def replay(host):
    host.server_process(open_files=64)
    host.connect(4)
    host.wait_until_waiting(4, seconds=2.2)
