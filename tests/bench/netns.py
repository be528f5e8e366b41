"""A network namespace with sockets in it."""

import contextlib
import ctypes
import errno
import os
import re
import subprocess
import sys
import time

import processes

CLONE_NEWNET = 0x40000000
BYTES_PER_SOCKET = 5 * 1024  # an ESTABLISHED one with its file on Linux 6, rounded up
MAKING_SECONDS = 600
MARK = "INETDIAG_BENCH_UNSHARED"


class TooMany(Exception):
    """This machine does not have room for so many sockets."""


def enter_new():
    """Moves this process into a new network namespace where lo is up.

    Without the right to do so the program starts once again as root of a user namespace.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        if error == errno.EPERM and MARK not in os.environ:
            os.environ[MARK] = "1"
            os.execvp("unshare", ["unshare", "-rn", sys.executable, *sys.argv])
        raise PermissionError(error, f"no network namespace: {os.strerror(error)}; run it as root")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, stdin=subprocess.DEVNULL)


def _set_sysctl(name, value):
    try:
        with open(f"/proc/sys/{name.replace('.', '/')}", "w") as file:
            file.write(str(value))
    except OSError as error:
        raise TooMany(f"{name} cannot be set to {value}: {error.strerror}") from error


def _prepare(time_wait):
    _set_sysctl("net.ipv4.ip_local_port_range", "1024 65535")
    if time_wait:
        _set_sysctl("net.ipv4.tcp_max_tw_buckets", 2 * time_wait + 100_000)
        # New connections would take over the sockets that are to be counted.
        _set_sysctl("net.ipv4.tcp_tw_reuse", 0)


def _listeners(sockets):
    """Of each family. ::1 has 64,000 ports for each listener, and gets slow at half of them."""
    return max(8, sockets // 150_000)


def _available_bytes():
    with open("/proc/meminfo") as file:
        return int(re.search(r"^MemAvailable: +(\d+) kB", file.read(), re.M)[1]) * 1024


def _tcp_counts():
    """The line `TCP:` of /proc/net/sockstat; all but `alloc` are of the namespace."""
    with open("/proc/net/sockstat") as file:
        words = re.search(r"^TCP: (.*)", file.read(), re.M)[1].split()
    return dict(zip(words[::2], map(int, words[1::2])))


class Sockets:
    """Holds the sockets of one size and keeps their number."""

    def __init__(self, holder, time_wait):
        self._holder = holder
        self._time_wait = time_wait
        self.made = holder.answer()

    def top_up(self):
        """TIME_WAIT ends after 60 s: makes as many as are missing, and tells how many that were."""
        missing = self._time_wait - _tcp_counts()["tw"] if self._time_wait else 0
        # Less changes no figure, and asking for it would disturb.
        if missing * 100 <= self._time_wait:
            return 0
        self._holder.ask(f"timewait {missing}")
        return missing


@contextlib.contextmanager
def sockets(program, established, time_wait):
    """So many sockets in the namespace of this process."""
    needed = (established + time_wait) * BYTES_PER_SOCKET
    if needed > _available_bytes():
        raise TooMany(f"it needs {needed >> 20} MiB and {_available_bytes() >> 20} are available")
    _prepare(time_wait)
    before = _tcp_counts()["alloc"]
    command = [program, "--established", established, "--time-wait", time_wait]
    command += ["--timeout", MAKING_SECONDS, "--listeners", _listeners(established + time_wait)]
    with processes.dialogue(command, MAKING_SECONDS) as holder:
        try:
            held = Sockets(holder, time_wait)
        except RuntimeError as error:
            raise TooMany(str(error)) from error
        yield held
    _wait_until_gone(before)


def _wait_until_gone(before):
    """All namespaces share one hash table: what is left of this size would cost the next one."""
    for _ in range(300):
        if _tcp_counts()["alloc"] <= before + 100:
            return
        time.sleep(0.1)
