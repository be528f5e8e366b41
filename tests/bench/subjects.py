"""Subjects of the measurement: exporters, `ss`, `sockets` and the bare netlink loops. Each has measure()."""

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

SCRAPE_TIMEOUT = 120
START_TIMEOUT = 10
TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Sample:
    """The cost of one scrape or loop, in seconds.

    `cpu` is exact. `user` and `system` are from timer ticks, and only meaningful as sums over many samples.
    """

    wall: float
    cpu: float
    user: float
    system: float
    age: float | None = None  # of the count by port; 0 if this scrape had a full dump
    bytes: int | None = None  # compressed size of the response


class MeasurementError(Exception):
    pass


def cpu_clock(pid):
    """Returns the CPU-time clock of a process, like clock_getcpuclockid(3)."""
    cpuclock_sched = 2
    return ~pid << 3 | cpuclock_sched


class Server:
    """A running exporter, scraped like Prometheus does."""

    def __init__(self, process, port):
        self._process = process
        self._port = port
        self._clock = cpu_clock(process.pid)

    def measure(self):
        user, system = self._ticks()
        cpu = time.clock_gettime(self._clock)
        begin = time.monotonic()
        body, is_compressed = self._fetch()
        wall = time.monotonic() - begin
        self._wait_until_idle()
        cpu = time.clock_gettime(self._clock) - cpu
        user_after, system_after = self._ticks()
        page = _text(body, is_compressed)
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
        """Returns the metrics as text."""
        return _text(*self._fetch())

    def compressed_bytes(self):
        """Returns the size of the compressed metrics."""
        return len(self._fetch()[0])

    def _fetch(self):
        """Returns (body, whether it is compressed)."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SCRAPE_TIMEOUT)
        with contextlib.closing(connection):
            connection.connect()
            # Close with a reset, so that the measurement adds no TIME_WAIT sockets.
            reset = struct.pack("ii", 1, 0)
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            headers = {
                "Accept-Encoding": "gzip",
                "Connection": "close",
                "X-Prometheus-Scrape-Timeout-Seconds": str(SCRAPE_TIMEOUT),
            }
            connection.request("GET", "/metrics", headers=headers)
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise MeasurementError(f"status {response.status}: {body[:200]!r}")
            return body, response.getheader("Content-Encoding") == "gzip"

    def memory(self):
        """Returns the resident and peak memory in bytes, and the number of threads."""
        with open(f"/proc/{self._process.pid}/status") as file:
            fields = dict(re.findall(r"^(VmRSS|VmHWM|Threads):\s+(\d+)", file.read(), re.M))
        return {
            "resident": int(fields["VmRSS"]) * 1024,
            "peak": int(fields["VmHWM"]) * 1024,
            "threads": int(fields["Threads"]),
        }

    def settle(self, scrapes):
        """Scrapes without measuring."""
        for _ in range(scrapes):
            self._fetch()
        self._wait_until_idle()

    def wait_until_up(self):
        end = time.monotonic() + START_TIMEOUT
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
        """Waits until the server has freed the memory of the response, which takes CPU time after it was sent."""
        idle_checks = 0
        last = time.clock_gettime(self._clock)
        for _ in range(50):
            time.sleep(0.001)
            now = time.clock_gettime(self._clock)
            idle_checks = idle_checks + 1 if now == last else 0
            if idle_checks == 3:
                return
            last = now


def _text(body, is_compressed):
    return (gzip.decompress(body) if is_compressed else body).decode()


def _check(page):
    """Raises MeasurementError if a collector failed, because it was too cheap."""
    failed = re.findall(r'^\w+_scrape_collector_success\{collector="(\w+)"\} 0$', page, re.M)
    if failed:
        raise MeasurementError(f"collectors failed: {', '.join(failed)}")


def established(page):
    """Returns the number of established sockets, or None."""
    names = r'(?:inetdiag_tcp_sockets|node_tcp_connection_states)\{state="established"\}'
    found = re.search(rf"^{names} (\S+)", page, re.M)
    return int(float(found[1])) if found else None


def monitored_namespaces(page):
    """Returns the number of network namespaces other than the exporter's own."""
    return len(set(re.findall(r'^inetdiag_listener_sockets\{.*netns="([^"]*)"', page, re.M)))


@contextlib.contextmanager
def server(command, port):
    """Runs an exporter on a loopback port."""
    command = [*command, f"--web.listen-address=127.0.0.1:{port}"]
    # _check() reports errors, so the log is discarded.
    with processes.running(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        subject = Server(process, port)
        subject.wait_until_up()
        yield subject


class Bare:
    """One of the bare netlink loops."""

    def __init__(self, coprocess):
        self._coprocess = coprocess

    def measure(self):
        cost = self._coprocess.request("")
        return Sample(cost["wall"], cost["cpu"], cost["user"], cost["system"])


@contextlib.contextmanager
def bare(program, mode):
    with processes.coprocess([program, mode], SCRAPE_TIMEOUT) as coprocess:
        yield Bare(coprocess)


class Start:
    """The start of an exporter, until it has answered the first scrape."""

    def __init__(self, command, port):
        self._command = [*command, f"--web.listen-address=127.0.0.1:{port}"]
        self._port = port

    def measure(self):
        begin = time.monotonic()
        with processes.running(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            server = Server(process, self._port)
            while True:
                try:
                    server.page()
                    break
                except ConnectionRefusedError:
                    if time.monotonic() > begin + START_TIMEOUT or process.poll() is not None:
                        raise
                    time.sleep(0.0002)
            wall = time.monotonic() - begin
            cpu = time.clock_gettime(cpu_clock(process.pid))
        return Sample(wall, cpu, 0, 0)


class Command:
    """A program that lists sockets and exits. Its startup is included in the cost."""

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
            raise MeasurementError(f"{self._command} exited with status {process.returncode}")
        cpu = usage.ru_utime + usage.ru_stime
        return Sample(wall, cpu, usage.ru_utime, usage.ru_stime)
