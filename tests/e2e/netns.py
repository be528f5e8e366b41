"""Network namespaces other than the test's own, as `ip netns`, containerd and kubelet create them."""

import ctypes
import os
import subprocess
import sys

import pytest

from conftest import ROOT

CLONE_NEWNS = 0x20000
MS_PRIVATE_RECURSIVE = (1 << 18) | 0x4000
libc = ctypes.CDLL(None, use_errno=True)


def unshare_mounts():
    """Hides later mounts from all but this process and its children."""
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(None, b"/", None, MS_PRIVATE_RECURSIVE, None) != 0:
        pytest.skip(f"cannot create a mount namespace: {os.strerror(ctypes.get_errno())}")


class NamespaceProcess:
    """A process in a new network namespace that executes commands there (namespace_process.py)."""

    def __init__(self, cgroup=None):
        self.process = subprocess.Popen(
            ["unshare", "--net", sys.executable, str(ROOT / "tests" / "e2e" / "namespace_process.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"
        self.file = f"/proc/{self.process.pid}/ns/net"
        self.inode = str(os.stat(self.file).st_ino)
        if cgroup:
            (cgroup / "cgroup.procs").write_text(str(self.process.pid))

    def send_command(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def output_of(self, *command):
        return subprocess.run(
            ["nsenter", f"--net={self.file}", *command], capture_output=True, text=True, check=True
        ).stdout

    def accept_queue(self, port):
        """Returns Recv-Q and Send-Q of a listener from ss."""
        fields = self.output_of("ss", "-ltnH", f"sport = {port}").split()
        return int(fields[1]), int(fields[2])

    def counter(self, name):
        """Returns a counter from nstat."""
        return int(self.output_of("nstat", "-asz", name).splitlines()[1].split()[1])

    def stop(self):
        self.process.communicate()


class NetnsDirectory:
    """A directory of pinned namespaces, as /run/netns."""

    def __init__(self, path):
        self.path = path
        path.mkdir()

    def pin(self, name, process):
        file = self.path / name
        file.touch()
        subprocess.run(["mount", "--bind", process.file, str(file)], check=True)

    def unpin(self, name):
        # Lazily, as `ip netns` does: the exporter may have the file open.
        subprocess.run(["umount", "--lazy", str(self.path / name)], check=True)
        (self.path / name).unlink()
