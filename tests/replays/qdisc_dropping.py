"""Expect: warning qdisc_dropping device slow (mq)

A device is slower than what the host sends: the queueing discipline of its hardware queues drops most of it."""

from fault_injection import send_over_slow_device


def replay(host):
    host.slow_device("mq")
    host.during_check(lambda: send_over_slow_device(500))
