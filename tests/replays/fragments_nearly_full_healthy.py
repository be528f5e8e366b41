"""Expect: nothing

Fragments take half of the memory for reassembly."""


def replay(host):
    host.send_fragments(20)
    used = host.fragments_bytes()
    host.set_sysctl("net.ipv4.ipfrag_low_thresh", used)
    host.set_sysctl("net.ipv4.ipfrag_high_thresh", used * 2)
