"""Expect: critical open_files_exhausted fs.file-max

The host has as many open files as fs.file-max allows."""


def replay(host):
    host.procfs().write("sys/fs/file-nr", "200000\t0\t200000\n")
