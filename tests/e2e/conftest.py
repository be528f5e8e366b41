"""Fixtures and helpers of the end-to-end tests.

Each test runs the real binary in its own network namespace. Needs CAP_SYS_ADMIN: run as root or under
`unshare --map-root-user`."""

import ctypes
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests"))

from polling import wait_until  # noqa: E402

FIXTURES = ROOT / "tests" / "fixtures"
CLONE_NEWNET = 0x40000000
# test_access.py verifies certificates.
ANY_CERTIFICATE = ssl._create_unverified_context()


def pytest_addoption(parser):
    parser.addoption("--exporter", default=str(ROOT / "build" / "inetdiag_exporter"))
    parser.addoption("--update-golden", action="store_true", help="overwrite the golden file instead of comparing")


def pytest_configure(config):
    config.addinivalue_line("markers", "plain_only: does not run with an instrumented exporter")
    config.addinivalue_line("markers", "many_clients: opens more connections than an instrumented exporter accepts with the default prlimit")


@pytest.fixture(autouse=True)
def namespace():
    """Moves the test into a new network namespace."""
    enter_new_namespace()


def enter_new_namespace():
    """Moves this process into a new network namespace with loopback up."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        pytest.skip(f"cannot create a network namespace: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class Exporter:
    """A running exporter. `log` is its standard error so far."""

    def __init__(self, process):
        self.process = process
        self.log = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_listening(self):
        found = wait_until(
            "the exporter listens",
            lambda: re.search(r"address\"?[=:]\"?(https?://[^\s\"]+)", self.log) or self.process.poll() is not None,
        )
        assert self.process.poll() is None, self.log
        self.url = found.group(1)
        self.port = int(self.url.rsplit(":", 1)[1].strip("/"))

    def _read(self):
        for line in self.process.stderr:
            self.log += line

    def get(self, path="/metrics", headers=None, method="GET", timeout=120):
        """Returns (status, headers, body), whatever the status."""
        request = urllib.request.Request(self.url.rstrip("/") + path, headers=headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=ANY_CERTIFICATE) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def page(self, path="/metrics"):
        status, _, body = self.get(path)
        assert status == 200, body
        return body.decode()

    def series(self):
        """Returns {series: value} of /metrics."""
        return series_of(self.page())

    def connect_to_inner_server(self):
        """Connects to the UNIX socket on which the HTTP server accepts the connections of the proxy."""
        inodes = {os.readlink(fd) for fd in Path(f"/proc/{self.process.pid}/fd").iterdir() if fd.is_symlink()}
        rows = [line.split() for line in Path("/proc/thread-self/net/unix").read_text().splitlines()]
        (name,) = [row[7] for row in rows if row[3] == "00010000" and f"socket:[{row[6]}]" in inodes]
        client = socket.socket(socket.AF_UNIX)
        client.connect(name.replace("@", "\0"))
        return client

    def end(self, number=signal.SIGTERM):
        """Sends a signal, waits for the exit and returns (exit status, log)."""
        self.process.send_signal(number)
        status = self.process.wait(timeout=60)
        self._reader.join()
        return status, self.log


def series_of(page):
    """Returns {series: value} of a page in the text format."""
    lines = (line for line in page.splitlines() if not line.startswith("#"))
    return {series: float(value) for series, value in (line.rsplit(" ", 1) for line in lines)}


def families_of(page):
    """Returns {family: type} of a page."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE))


@pytest.fixture
def binary(request):
    return request.config.getoption("--exporter")


@pytest.fixture(scope="session")
def is_sanitized(request):
    """Whether the exporter is built with a sanitizer.

    Such an exporter is slow, keeps freed memory, needs a large address space and has no sandbox."""
    program = Path(request.config.getoption("--exporter")).read_bytes()
    return any(name in program for name in (b"__asan_init", b"__tsan_init"))


@pytest.fixture
def preload(binary, is_sanitized):
    """Skips the test if LD_PRELOAD does not work: a sanitizer must be loaded first, and a static executable loads
    nothing."""
    if is_sanitized:
        pytest.skip("a sanitizer does not work with LD_PRELOAD")
    if "(NEEDED)" not in subprocess.run(["readelf", "--dynamic", binary], capture_output=True, text=True, check=True).stdout:
        pytest.skip("a static executable does not work with LD_PRELOAD")


@pytest.fixture
def command_prefix(request, is_sanitized):
    """The command that starts the exporter.

    An instrumented exporter gets few descriptors and therefore few client threads, which halves its startup
    time."""
    return ("prlimit", "--nofile=128:128") if is_sanitized and not request.node.get_closest_marker("many_clients") else ()


@pytest.fixture
def start(binary, command_prefix):
    """Starts exporters, and stops them at the end of the test."""
    running = []

    def start_one(*arguments, listen="127.0.0.1:0", command=None):
        process = subprocess.Popen(
            [*(command_prefix if command is None else command), binary, f"--web.listen-address={listen}", *arguments],
            stderr=subprocess.PIPE,
            text=True,
        )
        exporter = Exporter(process)
        running.append(exporter)
        exporter.wait_until_listening()
        return exporter

    yield start_one
    for exporter in running:
        if exporter.process.poll() is None:
            exporter.process.terminate()
        assert exporter.process.wait(timeout=60) == 0, exporter.log


@pytest.fixture
def run(binary):
    """Runs the exporter until it exits."""
    return lambda *arguments: subprocess.run(
        [binary, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def may_change_user():
    """Whether uid 65534 exists here. In a user namespace, only mapped users do."""
    uid_map = Path("/proc/self/uid_map").read_text().split()
    return len(uid_map) >= 3 and int(uid_map[2]) > 65534


def listen(address="127.0.0.1", port=0, backlog=4, options=()):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for option in options:
        server.setsockopt(socket.SOL_SOCKET, option, 1)
    server.bind((address, port))
    server.listen(backlog)
    return server


def connect_without_waiting(port, count, address="127.0.0.1"):
    clients = []
    for _ in range(count):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((address, port))
        clients.append(client)
    return clients
