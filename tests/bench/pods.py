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

CLONE_NEWNET = 0x40000000
MAKING_SECONDS = 300


class Pods:
    """Holds the namespaces; `folder` has a name for each."""

    def __init__(self, holder, folder):
        self._holder = holder
        self.folder = folder
        for i, fd in enumerate(holder.answer()["descriptors"]):
            (folder / f"pod-{i}").symlink_to(f"/proc/{holder.process.pid}/fd/{fd}")

    def stir(self):
        """Where no segment comes or goes, nothing needs to be counted again."""
        self._holder.ask("")


@contextlib.contextmanager
def pods(count):
    command = [sys.executable, pathlib.Path(__file__).resolve(), count]
    with tempfile.TemporaryDirectory(prefix="inetdiag-bench-") as folder:
        with processes.dialogue(command, MAKING_SECONDS) as holder:
            yield Pods(holder, pathlib.Path(folder))


def _enter_new():
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
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
