"""Expect: nothing

A host with many connections has three quarters of the files that fs.file-max allows."""


def replay(host):
    host.procfs().write("sys/fs/file-nr", "150000\t0\t200000\n")
