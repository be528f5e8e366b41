"""Expect: nothing

A process that was continued after a stop has answered its clients."""

import signal


def replay(host):
    server = host.server_process()
    host.stop(server)
    host.connect(4)
    host.wait_until_waiting(4)
    server.send_signal(signal.SIGCONT)
    host.wait_until_none_waits()
