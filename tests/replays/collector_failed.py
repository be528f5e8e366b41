"""Expect: warning collector_failed *

A file of procfs cannot be read, as where a container masks it with a directory."""


def replay(host):
    file = host.procfs().directory / "net/softnet_stat"
    file.unlink()
    file.mkdir()
