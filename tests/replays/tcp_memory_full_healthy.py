"""Expect: nothing

TCP uses half of the pages of the pressure value of tcp_mem."""


def replay(host):
    host.procfs().use_tcp(mem=126000)
