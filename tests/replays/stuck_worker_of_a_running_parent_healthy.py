"""Expect: nothing

A parent opens a listener, for which two workers call accept(). One is stopped: the other accepts."""


def replay(host):
    listener = host.listen()
    worker, _ = host.worker_process(listener), host.worker_process(listener)
    host.connect()
    host.wait_until_none_waits()
    host.stop(worker)
    host.repeat(lambda: host.connect(1), every=0.1)
    host.wait_until_none_waits()
