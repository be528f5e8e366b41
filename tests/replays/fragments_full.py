"""Expect: critical fragments_full net.ipv4.ipfrag_high_thresh

First fragments of datagrams whose rest never comes take the memory for reassembly."""


def replay(host):
    host.set_sysctl("net.ipv4.ipfrag_low_thresh", 10000)
    host.set_sysctl("net.ipv4.ipfrag_high_thresh", 20000)
    host.send_fragments(50)
    host.during_check(lambda: host.send_fragments(100, first=50))
