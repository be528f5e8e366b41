"""Expect: warning tcp_memory_pressure net.ipv4.tcp_mem

TCP uses more pages than the pressure value of tcp_mem."""


def replay(host):
    host.procfs().use_tcp(mem=260000)
