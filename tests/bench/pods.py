"""Network namespaces like those of pods: two listeners, and a connection with traffic.

Run as a program, it creates the namespaces, and sends traffic in all of them for each line on standard input.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

import processes

CLONE_NEWNS = 0x20000
CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MS_REC_PRIVATE = 0x4000 | 1 << 18
MNT_DETACH = 2
SETUP_TIMEOUT = 300
libc = ctypes.CDLL(None, use_errno=True)


class Pods:
    """The network namespaces, each pinned to a file in `directory`."""

    def __init__(self, holder, directory):
        self._holder = holder
        self.directory = directory
        for i, fd in enumerate(holder.read_response()["descriptors"]):
            file = directory / f"pod-{i}"
            file.touch()
            _mount(f"/proc/{holder.process.pid}/fd/{fd}", file, MS_BIND)

    def unpin(self):
        for file in self.directory.iterdir():
            libc.umount2(bytes(file), MNT_DETACH)

    def send_traffic(self):
        """Sends a segment in each namespace: the exporter does not dump namespaces without traffic again."""
        self._holder.request("")


@contextlib.contextmanager
def pods(count):
    command = [sys.executable, pathlib.Path(__file__).resolve(), count]
    # Pinned by bind mounts like those of `ip netns`, visible to this process and its children.
    _unshare(CLONE_NEWNS)
    _mount(None, "/", MS_REC_PRIVATE)
    with tempfile.TemporaryDirectory(prefix="inetdiag-bench-") as directory:
        with processes.coprocess(command, SETUP_TIMEOUT) as holder:
            created = Pods(holder, pathlib.Path(directory))
            try:
                yield created
            finally:
                created.unpin()


def _checked(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _unshare(flags):
    _checked(libc.unshare(flags))


def _mount(source, target, flags):
    source = source and os.fsencode(source)
    _checked(libc.mount(source, os.fsencode(target), None, ctypes.c_ulong(flags), None))


def _enter_new():
    _unshare(CLONE_NEWNET)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, stdin=subprocess.DEVNULL)
    return os.open("/proc/self/ns/net", os.O_RDONLY)


def main():
    listeners, connections, descriptors = [], [], []
    for _ in range(int(sys.argv[1])):
        descriptors.append(_enter_new())
        listeners += [socket.create_server(("127.0.0.1", port), backlog=128) for port in (80, 443)]
        client = socket.create_connection(("127.0.0.1", 80))
        connections.append((client, listeners[-2].accept()[0]))
    print(json.dumps({"descriptors": descriptors}), flush=True)
    for _ in sys.stdin:
        for client, server in connections:
            client.send(b"x")
            server.recv(1)
        print("{}", flush=True)


if __name__ == "__main__":
    main()
