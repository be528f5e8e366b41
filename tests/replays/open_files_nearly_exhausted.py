"""Expect: warning open_files_nearly_exhausted fs.file-max

The host has nine tenths of the open files that fs.file-max allows."""


def replay(host):
    host.procfs().write("sys/fs/file-nr", "180000\t0\t200000\n")
