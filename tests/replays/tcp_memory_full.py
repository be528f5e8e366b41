"""Expect: critical tcp_memory_full net.ipv4.tcp_mem

TCP uses more pages than the highest value of tcp_mem, and the kernel aborts connections."""


def replay(host):
    proc = host.procfs()
    proc.use_tcp(mem=380100)
    host.during_check(lambda: proc.count("net/netstat", "TCPAbortOnMemory", 20))
