"""What is measured: exporters over HTTP, ss and `sockets`, and the bare loops. Each has measure()."""

import contextlib
import dataclasses
import gzip
import http.client
import os
import re
import socket
import struct
import subprocess
import time

import processes

SCRAPE_SECONDS = 120
START_SECONDS = 10
TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Sample:
    """What asking once cost, in seconds.

    `cpu` is exact; `user` and `system` come from the kernel's timer ticks and mean something as
    sums over many samples only.
    """

    wall: float
    cpu: float
    user: float
    system: float
    age: float | None = None  # of the count by port: 0 means that this scrape had a full dump
    bytes: int | None = None  # of the page as it went over the wire


class Failed(Exception):
    pass


def _cpu_clock(pid):
    """The clock of a process's CPU time, as clock_getcpuclockid(3) makes it."""
    cpuclock_sched = 2
    return ~pid << 3 | cpuclock_sched


class Server:
    """A long-running exporter that is asked over HTTP as Prometheus does."""

    def __init__(self, process, port):
        self._process = process
        self._port = port
        self._clock = _cpu_clock(process.pid)

    def measure(self):
        user, system = self._ticks()
        cpu = time.clock_gettime(self._clock)
        begin = time.monotonic()
        body, is_packed = self._fetch()
        wall = time.monotonic() - begin
        self._wait_until_idle()
        cpu = time.clock_gettime(self._clock) - cpu
        user_after, system_after = self._ticks()
        page = _text(body, is_packed)
        _check(page)
        age = re.search(r"^inetdiag_tcp_port_sockets_age_seconds (\S+)", page, re.M)
        return Sample(
            wall=wall,
            cpu=cpu,
            user=user_after - user,
            system=system_after - system,
            age=float(age[1]) if age else None,
            bytes=len(body),
        )

    def page(self):
        """The text of the metrics."""
        return _text(*self._fetch())

    def _fetch(self):
        """The metrics as they came, and whether they are compressed."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SCRAPE_SECONDS)
        with contextlib.closing(connection):
            connection.connect()
            # A reset instead of a farewell: no TIME_WAIT of the measurement among the sockets.
            reset = struct.pack("ii", 1, 0)
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            headers = {
                "Accept-Encoding": "gzip",
                "Connection": "close",
                "X-Prometheus-Scrape-Timeout-Seconds": str(SCRAPE_SECONDS),
            }
            connection.request("GET", "/metrics", headers=headers)
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise Failed(f"status {response.status}: {body[:200]!r}")
            return body, response.getheader("Content-Encoding") == "gzip"

    def memory(self):
        """Resident and peak memory in bytes."""
        with open(f"/proc/{self._process.pid}/status") as file:
            found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", file.read(), re.M))
        return {"resident": int(found["VmRSS"]) * 1024, "peak": int(found["VmHWM"]) * 1024}

    def wait_until_up(self):
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self.page()
                return
            except (ConnectionError, http.client.HTTPException):
                if time.monotonic() > end or self._process.poll() is not None:
                    raise
                time.sleep(0.02)

    def _ticks(self):
        with open(f"/proc/{self._process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) * TICK, int(fields[12]) * TICK

    def _wait_until_idle(self):
        """The answer is there before the server has freed what it needed for it."""
        calm = 0
        last = time.clock_gettime(self._clock)
        for _ in range(50):
            time.sleep(0.001)
            now = time.clock_gettime(self._clock)
            calm = calm + 1 if now == last else 0
            if calm == 3:
                return
            last = now


def _text(body, is_packed):
    return (gzip.decompress(body) if is_packed else body).decode()


def _check(page):
    """A collector that failed is cheap: its scrape is no measurement."""
    failed = re.findall(r'^\w+_scrape_collector_success\{collector="(\w+)"\} 0$', page, re.M)
    if failed:
        raise Failed(f"collectors failed: {', '.join(failed)}")


def established(page):
    """How many such sockets the page tells."""
    names = r'(?:inetdiag_tcp_sockets|node_tcp_connection_states)\{state="established"\}'
    found = re.search(rf"^{names} (\S+)", page, re.M)
    return int(float(found[1])) if found else None


def asked_namespaces(page):
    """Of how many network namespaces beside its own the page tells."""
    return len(set(re.findall(r'^inetdiag_listener_sockets\{.*netns="([^"]*)"', page, re.M)))


@contextlib.contextmanager
def server(command, port):
    """An exporter that listens on a port of loopback."""
    command = [*command, f"--web.listen-address=127.0.0.1:{port}"]
    # Only errors matter here, and they reach the page: the log is left out.
    with processes.running(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        subject = Server(process, port)
        subject.wait_until_up()
        yield subject


class Bare:
    """One of the bare netlink loops."""

    def __init__(self, dialogue):
        self._dialogue = dialogue

    def measure(self):
        cost = self._dialogue.ask("")
        return Sample(cost["wall"], cost["cpu"], cost["user"], cost["system"])


@contextlib.contextmanager
def bare(program, mode):
    with processes.dialogue([program, mode], SCRAPE_SECONDS) as dialogue:
        yield Bare(dialogue)


class Command:
    """A program that lists sockets and ends, with its start as who runs it has it."""

    def __init__(self, command):
        self._command = command

    def measure(self):
        begin = time.monotonic()
        with processes.running(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - begin
        if process.returncode != 0:
            raise Failed(f"{self._command} ended with status {process.returncode}")
        cpu = usage.ru_utime + usage.ru_stime
        return Sample(wall, cpu, usage.ru_utime, usage.ru_stime)
