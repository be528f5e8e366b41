"""Expect: warning netlink_messages_lost netlink route sockets of python3
Says: wrong view of routes

A program does not read its netlink socket while devices change."""

from fault_injection import change_device, netlink_monitor


def replay(host):
    host.keep(netlink_monitor())
    host.during_check(lambda: change_device(40))
