"""Expect: nothing

systemd has set fs.file-max to the maximum."""


def replay(host):
    host.procfs().write("sys/fs/file-nr", "2000000\t0\t9223372036854775807\n")
