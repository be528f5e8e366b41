"""Expect: nothing

The cgroup of a program was frozen and thawed. The program has answered its clients."""


def replay(host):
    server = host.server_process()
    cgroup = host.cgroup("freezer", server)
    cgroup.freeze()
    host.connect(4)
    host.wait_until_waiting(4)
    cgroup.thaw()
    host.wait_until_none_waits()
