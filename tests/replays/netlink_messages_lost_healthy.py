"""Expect: nothing

A program reads its netlink socket while devices change. It lost messages in the past."""

from fault_injection import change_device, netlink_monitor, read_all


def replay(host):
    monitor = host.keep(netlink_monitor())
    change_device(40)
    host.during_check(lambda: change_device(40, lambda: read_all(monitor)))
