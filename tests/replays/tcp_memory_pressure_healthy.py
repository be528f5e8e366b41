"""Expect: nothing

TCP uses three quarters of the pages of the pressure value of tcp_mem."""


def replay(host):
    host.procfs().use_tcp(mem=189000)
