"""Expect: nothing

A program sends less than the rate that is configured for a device."""

from fault_injection import send_over_slow_device


def replay(host):
    host.slow_device("tbf", rate="1gbit", limit=1_000_000)
    host.during_check(lambda: send_over_slow_device(500))
