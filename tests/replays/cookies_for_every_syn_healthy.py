"""Expect: no warning

With tcp_syncookies=2 all clients answer the cookies."""


def replay(host):
    host.set_sysctl("net.ipv4.tcp_syncookies", 2)
    host.listen(backlog=128, accept=True)
    host.repeat(lambda: host.connect(10))
