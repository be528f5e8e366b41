"""Fixtures of the end-to-end tests: each test has a network namespace of its own, in which it runs
the real binary. Needs CAP_SYS_ADMIN, as root or below `unshare --map-root-user`."""

import ctypes
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
CLONE_NEWNET = 0x40000000
# Whose certificate it is, test_access.py looks at.
ANY_CERTIFICATE = ssl._create_unverified_context()


def pytest_addoption(parser):
    parser.addoption("--exporter", default=str(ROOT / "build" / "inetdiag_exporter"))
    parser.addoption("--update-golden", action="store_true", help="write what is, not compare")


def pytest_configure(config):
    config.addinivalue_line("markers", "once: not again with an instrumented exporter (rules, dashboards)")
    config.addinivalue_line("markers", "crowds: has more clients at a time than an instrumented exporter usually holds")


@pytest.fixture(autouse=True)
def namespace():
    """Every test begins in a network namespace of its own."""
    enter_new_namespace()


def enter_new_namespace():
    """An empty one with loopback up."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        pytest.skip(f"no network namespace of its own: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def wait_until(what, condition, seconds=60, every=0.02):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(every)


class Exporter:
    """A running exporter; `log` holds its standard error so far."""

    def __init__(self, process):
        self.process = process
        self.log = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_it_listens(self):
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
        """(status, headers, body); any status is an answer."""
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
        """The series of the page by their text."""
        return series_of(self.page())

    def inner_port(self):
        """Where its front for TLS and IPv6 reaches its HTTP server."""
        listening = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
        told = re.findall(r"https?://[^/\s\[]+:(\d+)/", self.log)
        (port,) = set(re.findall(r"127\.0\.0\.1:(\d+)", listening)) - set(told)
        return int(port)

    def end(self, number=signal.SIGTERM):
        """Ends it and returns its exit status and whole log."""
        self.process.send_signal(number)
        status = self.process.wait(timeout=60)
        self._reader.join()
        return status, self.log


def series_of(page):
    lines = (line for line in page.splitlines() if not line.startswith("#"))
    return {series: float(value) for series, value in (line.rsplit(" ", 1) for line in lines)}


def families_of(page):
    """{family: type} of a page."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE))


@pytest.fixture
def binary(request):
    return request.config.getoption("--exporter")


@pytest.fixture(scope="session")
def is_sanitized(request):
    """Whether the exporter is built with a sanitizer: then it is slow, keeps freed memory, needs
    much address space, has no sandbox and must be the first library that is loaded."""
    program = Path(request.config.getoption("--exporter")).read_bytes()
    return any(name in program for name in (b"__asan_init", b"__tsan_init"))


@pytest.fixture
def usual_command(request, is_sanitized):
    """What the exporter runs below: few descriptors and thus few clients, for each of which it has a
    thread, make an instrumented one start in half of the time."""
    return ("prlimit", "--nofile=128:128") if is_sanitized and not request.node.get_closest_marker("crowds") else ()


@pytest.fixture
def start(binary, usual_command):
    """Starts an exporter with these arguments; all are ended with the test."""
    running = []

    def start_one(*arguments, listen="127.0.0.1:0", command=None):
        process = subprocess.Popen(
            [*(usual_command if command is None else command), binary, f"--web.listen-address={listen}", *arguments],
            stderr=subprocess.PIPE,
            text=True,
        )
        exporter = Exporter(process)
        running.append(exporter)
        exporter.wait_until_it_listens()
        return exporter

    yield start_one
    for exporter in running:
        if exporter.process.poll() is None:
            exporter.process.terminate()
        assert exporter.process.wait(timeout=60) == 0, exporter.log


@pytest.fixture
def run(binary):
    """Runs the exporter to its end."""
    return lambda *arguments: subprocess.run(
        [binary, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def listen(address="127.0.0.1", port=0, backlog=4):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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
