"""Expect: nothing

A device dropped packets in the past, and now sends what it gets."""

from fault_injection import send_over_slow_device


def replay(host):
    host.slow_device("mq")
    send_over_slow_device(500)
    host.wait_until_slow_device_is_idle()
    host.during_check(lambda: send_over_slow_device(1))
