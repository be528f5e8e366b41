"""Expect: notice qdisc_rate_exceeded device slow (tbf)

A program sends more than the rate that is configured for a device."""

from fault_injection import send_over_slow_device


def replay(host):
    host.slow_device("tbf")
    host.during_check(lambda: send_over_slow_device(500))
