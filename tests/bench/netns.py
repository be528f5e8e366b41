"""A network namespace with many sockets."""

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
BYTES_PER_SOCKET = 5 * 1024  # ESTABLISHED, with its file, on Linux 6; rounded up
SETUP_TIMEOUT = 600
UNSHARED_VARIABLE = "INETDIAG_BENCH_UNSHARED"


class InsufficientResources(Exception):
    """This machine cannot hold that many sockets."""


def enter_new():
    """Moves this process into a new network namespace with loopback up.

    Without CAP_SYS_ADMIN it executes the program again as root of a user namespace.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        if error == errno.EPERM and UNSHARED_VARIABLE not in os.environ:
            os.environ[UNSHARED_VARIABLE] = "1"
            os.execvp("unshare", ["unshare", "-rn", sys.executable, *sys.argv])
        raise PermissionError(error, f"cannot create a network namespace: {os.strerror(error)} (run as root)")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, stdin=subprocess.DEVNULL)


def _set_sysctl(name, value):
    try:
        with open(f"/proc/sys/{name.replace('.', '/')}", "w") as file:
            file.write(str(value))
    except OSError as error:
        raise InsufficientResources(f"cannot set {name} to {value}: {error.strerror}") from error


def _prepare(time_wait):
    _set_sysctl("net.ipv4.ip_local_port_range", "1024 65535")
    if time_wait:
        _set_sysctl("net.ipv4.tcp_max_tw_buckets", 2 * time_wait + 100_000)
        # Otherwise new connections reuse the TIME_WAIT sockets.
        _set_sysctl("net.ipv4.tcp_tw_reuse", 0)


def _listeners(sockets):
    """Returns the listeners per family. ::1 has 64,000 ports per listener, and is slow beyond half of them."""
    return max(8, sockets // 150_000)


def _available_bytes():
    with open("/proc/meminfo") as file:
        return int(re.search(r"^MemAvailable: +(\d+) kB", file.read(), re.M)[1]) * 1024


def _tcp_counts():
    """Returns the line `TCP:` of /proc/net/sockstat. All but `alloc` are per network namespace."""
    with open("/proc/net/sockstat") as file:
        words = re.search(r"^TCP: (.*)", file.read(), re.M)[1].split()
    return dict(zip(words[::2], map(int, words[1::2])))


class Sockets:
    """The sockets of one size."""

    def __init__(self, holder, time_wait):
        self._holder = holder
        self._time_wait = time_wait
        self.created = holder.read_response()

    def top_up(self):
        """Replaces the TIME_WAIT sockets that expired after 60 s."""
        missing = self._time_wait - _tcp_counts()["tw"] if self._time_wait else 0
        # Less than 1% does not change the figures.
        if missing * 100 > self._time_wait:
            self._holder.request(f"timewait {missing}")


@contextlib.contextmanager
def sockets(program, established, time_wait):
    """Opens sockets in the network namespace of this process."""
    needed = (established + time_wait) * BYTES_PER_SOCKET
    if needed > _available_bytes():
        raise InsufficientResources(f"{needed >> 20} MiB of memory needed, {_available_bytes() >> 20} MiB available")
    _prepare(time_wait)
    before = _tcp_counts()["alloc"]
    command = [program, "--established", established, "--time-wait", time_wait]
    command += ["--timeout", SETUP_TIMEOUT, "--listeners", _listeners(established + time_wait)]
    with processes.coprocess(command, SETUP_TIMEOUT) as holder:
        try:
            opened = Sockets(holder, time_wait)
        except RuntimeError as error:
            raise InsufficientResources(str(error)) from error
        yield opened
    _wait_until_gone(before)


def _wait_until_gone(before):
    """All network namespaces share one hash table: remaining sockets would slow down the next size."""
    for _ in range(300):
        if _tcp_counts()["alloc"] <= before + 100:
            return
        time.sleep(0.1)
