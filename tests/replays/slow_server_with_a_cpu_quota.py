"""Expect: critical/warning listener_stuck/accept_queue_slow 0.0.0.0:8080
Says: The CPU quota of its cgroup
Says: Raise the quota

A program that needs 50 ms of CPU time for each connection has a CPU quota of 1 %."""


def replay(host):
    server = host.server_process(work_seconds=0.05)
    host.cgroup("cpu", server).set_cpu_quota(0.01)
    host.connect(60)
    host.wait_until_waiting(20, seconds=2.2)
