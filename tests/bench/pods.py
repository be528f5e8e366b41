"""Network namespaces as pods have them: two listeners, a connection, and something said on it.

As a program it makes so many of them and answers each line by saying something in all.
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
MS_PRIVATE_EVERYWHERE = (1 << 18) | 0x4000
MNT_DETACH = 2
MAKING_SECONDS = 300
libc = ctypes.CDLL(None, use_errno=True)


class Pods:
    """Holds the namespaces; `folder` has a name for each."""

    def __init__(self, holder, folder):
        self._holder = holder
        self.folder = folder
        for i, fd in enumerate(holder.answer()["descriptors"]):
            file = folder / f"pod-{i}"
            file.touch()
            _mount(f"/proc/{holder.process.pid}/fd/{fd}", file, MS_BIND)

    def unpin(self):
        for file in self.folder.iterdir():
            libc.umount2(bytes(file), MNT_DETACH)

    def stir(self):
        """Where no segment comes or goes, nothing needs to be counted again."""
        self._holder.ask("")


@contextlib.contextmanager
def pods(count):
    command = [sys.executable, pathlib.Path(__file__).resolve(), count]
    # The names are mounts, as those of `ip netns` are: seen by this process and what it starts.
    _unshare(CLONE_NEWNS)
    _mount(None, "/", MS_PRIVATE_EVERYWHERE)
    with tempfile.TemporaryDirectory(prefix="inetdiag-bench-") as folder:
        with processes.dialogue(command, MAKING_SECONDS) as holder:
            found = Pods(holder, pathlib.Path(folder))
            try:
                yield found
            finally:
                found.unpin()


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
