"""Expect: nothing

The same program is not throttled by a quota that it does not use up."""


def replay(host):
    server = host.server_process()
    host.cgroup("cpu", server).set_cpu_quota(0.9)
    host.repeat(lambda: host.connect(1), every=0.1)
    host.wait_until_none_waits()
