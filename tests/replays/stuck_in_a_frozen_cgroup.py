"""Expect: critical listener_stuck 0.0.0.0:8080
Says: is frozen
Says: Thaw it
Never says: uninterruptible

The cgroup of a program was frozen, as by `docker pause`. Four clients have waited for more than two seconds."""


def replay(host):
    server = host.server_process()
    cgroup = host.cgroup("freezer", server)
    cgroup.freeze()
    host.connect(4)
    host.wait_until_waiting(4, seconds=2.2)
