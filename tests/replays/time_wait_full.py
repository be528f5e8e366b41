"""Expect: warning time_wait_full net.ipv4.tcp_max_tw_buckets

More connections are closed than tcp_max_tw_buckets allows."""

from fault_injection import TimeWaitOverflow


def replay(host):
    fault = host.keep(TimeWaitOverflow())
    for _ in range(5):
        fault.inject()
    host.during_check(fault.inject)
