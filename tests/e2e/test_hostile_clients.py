"""Clients that hold connections, send garbage or come in crowds. They must not delay a scrape beyond its
deadline, and all their resources must be released."""

import re
import resource
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import ANY_CERTIFICATE, series_of, wait_until
from test_access import TLS, config, keys  # noqa: F401, fixtures

pytestmark = pytest.mark.many_clients

# The default scrape_timeout of Prometheus, and the exporter's without the header.
DEADLINE_SECONDS = 10
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
PARTIAL_CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


@pytest.fixture(autouse=True)
def many_descriptors():
    """Each client of a crowd is a descriptor of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(params=["HTTP", "HTTPS", "HTTP over IPv6"])
def start_either(request, start):
    """Starts an exporter with each kind of listener."""
    flags = [request.getfixturevalue("config")(TLS)] if request.param == "HTTPS" else []
    address = "[::1]:0" if request.param == "HTTP over IPv6" else "127.0.0.1:0"
    return lambda *arguments: start(*flags, *arguments, listen=address)


def connect(exporter, receive_bytes=None):
    """Connects over TCP, without a TLS handshake."""
    is_ipv6 = "[" in exporter.url
    client = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET)
    if receive_bytes:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    client.connect(("::1" if is_ipv6 else "127.0.0.1", exporter.port))
    return client


def has_tls(exporter):
    return exporter.url.startswith("https:")


def connect_with_tls(exporter, receive_bytes=None):
    client = connect(exporter, receive_bytes)
    client.settimeout(60)
    return ANY_CERTIFICATE.wrap_socket(client) if has_tls(exporter) else client


class Crowd:
    """A constant number of clients of a kind: one that the exporter closes reconnects."""

    def __init__(self, exporter, count, kind):
        self.exporter = exporter
        self.kind = kind
        self.reconnects = 0
        self.clients = [self._connect() for _ in range(count)]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._reconnect_closed)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()
        for client in self.clients:
            client.close()

    def _connect(self):
        if self.kind == "silent":
            return connect(self.exporter)
        if self.kind == "partial handshake":
            client = connect(self.exporter)
            client.sendall(PARTIAL_CLIENT_HELLO)
            return client
        if self.kind == "one byte a second":
            return connect_with_tls(self.exporter)
        client = connect_with_tls(self.exporter, receive_bytes=4096)
        client.sendall(REQUEST)
        # Waits for the response, to stay below --web.max-requests.
        assert select.select([client], [], [], 60)[0]
        return client

    def _reconnect_closed(self):
        while not self._stopped.wait(1):
            poll = select.poll()
            for client in self.clients:
                poll.register(client, select.POLLRDHUP if self.kind == "reads nothing" else select.POLLIN)
            closed = {fd for fd, _ in poll.poll(0)}
            for i, client in enumerate(self.clients):
                if client.fileno() in closed:
                    client.close()
                    self.clients[i] = self._connect()
                    self.reconnects += 1
                elif self.kind == "one byte a second":
                    try:
                        client.send(b"G")
                    except OSError:
                        pass  # closed since; reconnects in the next second


def descriptors(exporter):
    return len(list(Path(f"/proc/{exporter.process.pid}/fd").iterdir()))


def descriptors_at_rest(exporter):
    """The sampler of accept queues opens its socket after the first scrape, and keeps it."""
    samples = "inetdiag_listener_accept_queue_samples_total"
    wait_until("the sampler has its socket", lambda: exporter.series().get(samples, 0) > 0)
    return descriptors(exporter)


def resident_kib(exporter):
    status = Path(f"/proc/{exporter.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def has_released_memory(exporter, before):
    """Except the stacks and buffers of the threads, and what malloc caches for the next scrape."""
    return resident_kib(exporter) - before < 16_000


def scrape_within_deadline(exporter):
    begin = time.monotonic()
    status, _, body = exporter.get(timeout=DEADLINE_SECONDS)
    assert status == 200
    assert not [s for s, v in series_of(body.decode()).items() if "collector_success" in s and v == 0]
    return time.monotonic() - begin


# The maximum is 256: 200 are held, of 400 the oldest are closed.
@pytest.mark.parametrize(
    "start_either, kind, count",
    [
        ("HTTP", "silent", 200),
        ("HTTP", "silent", 400),
        ("HTTP", "one byte a second", 200),
        ("HTTP", "reads nothing", 200),
        ("HTTPS", "silent", 400),
        ("HTTPS", "partial handshake", 400),
        ("HTTPS", "one byte a second", 200),
        ("HTTPS", "reads nothing", 50),
        ("HTTP over IPv6", "silent", 400),
        ("HTTP over IPv6", "one byte a second", 200),
        ("HTTP over IPv6", "reads nothing", 200),
    ],
    indirect=["start_either"],
)
def test_clients_that_hold_connections_do_not_delay_scrapes(start_either, is_sanitized, kind, count):
    exporter = start_either()
    if not has_tls(exporter):
        # Keeps most of the response in the exporter.
        Path("/proc/sys/net/ipv4/tcp_wmem").write_text("4096 4096 4096")
    for _ in range(3):
        exporter.page()
    before = descriptors_at_rest(exporter)
    memory_before = resident_kib(exporter)
    with Crowd(exporter, count, kind) as crowd:
        seconds = [scrape_within_deadline(exporter) for _ in range(2)]
        # Until the first are closed: no client may hold a connection for ever.
        if kind == "one byte a second" or count == 400:
            wait_until("clients are closed", lambda: crowd.reconnects > 0)
            seconds.append(scrape_within_deadline(exporter))
        assert exporter.get("/-/healthy", timeout=DEADLINE_SECONDS)[0] == 200
        held = descriptors(exporter)
    print(f"{count} {kind}: slowest scrape {max(seconds):.2f} s, {held} descriptors")
    wait_until("their descriptors are closed", lambda: descriptors(exporter) <= before)
    scrape_within_deadline(exporter)
    print(f"{resident_kib(exporter) - memory_before} KiB more")
    wait_until("their memory is released", lambda: is_sanitized or has_released_memory(exporter, memory_before))


GARBAGE = [
    b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /metrics\r\n\r\n",
    b"GET /metrics HTTP/9.9\r\n\r\n",
    b"\xff\xfe /metrics HTTP/1.1\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nTransfer-Encoding: nonsense\r\n\r\n",
    b"GET /%zz%c0%ae%c0%ae/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://example.org/metrics HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /metrics?collect[]=%ff%fe%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nX-Prometheus-Scrape-Timeout-Seconds: -1e999\r\n\r\n",
    b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"b" * 160) for i in range(110)) + b"\r\n",
    bytes(range(256)) * 80,
]


def response_to(exporter, request):
    """Returns everything until the exporter closes the connection."""
    with connect_with_tls(exporter) as client:
        response = b""
        try:
            client.sendall(request)
            while part := client.recv(65536):
                response += part
        except TimeoutError:
            raise
        except OSError:
            pass  # closed while this still sends, or with unread input
        return response


def test_garbage_is_rejected_or_closed(start_either):
    exporter = start_either()
    for garbage in GARBAGE:
        response = response_to(exporter, garbage)
        assert not response or re.match(rb"HTTP/1\.1 [45]\d\d [A-Z]", response), (garbage[:80], response[:200])
        assert b"root:" not in response, garbage[:80]
        scrape_within_deadline(exporter)


@pytest.mark.parametrize("count, size", [(50, 300), (3_000, 0)])
def test_headers_of_nearly_16_kib_are_accepted(start_either, count, size):
    headers = b"".join(b"A:%s\r\n" % (b"b" * size) for _ in range(count))
    assert response_to(start_either(), REQUEST[:-2] + headers + b"\r\n").startswith(b"HTTP/1.1 200 OK\r\n")


def test_lines_may_end_without_a_carriage_return(start_either):
    assert response_to(start_either(), b"GET /-/healthy HTTP/1.0\n\n").startswith(b"HTTP/1.1 200 OK\r\n")


def test_pipelined_requests_get_at_most_one_response(start_either):
    exporter = start_either()
    healthy = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"
    assert response_to(exporter, healthy * 3 + bytes(range(256))).count(b"HTTP/1.1") <= 1
    scrape_within_deadline(exporter)


def test_a_collector_given_many_times_runs_once(start_either):
    exporter = start_either()
    many = exporter.page("/metrics?" + "&".join(["collect[]=tcp"] * 1000))
    one = exporter.page("/metrics?collect[]=tcp")
    assert series_of(many).keys() == series_of(one).keys()


CONNECTIONS = 10_000


def test_many_short_connections(start_either, is_sanitized):
    exporter = start_either()
    before = descriptors_at_rest(exporter)
    memory_before = resident_kib(exporter)
    count = CONNECTIONS // 10 if is_sanitized else CONNECTIONS

    def connect_and_close():
        for i in range(count):
            client = connect(exporter)
            if i % 3 == 1:
                client.send(PARTIAL_CLIENT_HELLO if has_tls(exporter) else REQUEST[:9])
            elif i % 3 == 2:  # closes with a reset
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()

    with ThreadPoolExecutor(1) as pool:
        crowd = pool.submit(connect_and_close)
        scrape_within_deadline(exporter)
        while not crowd.done():
            scrape_within_deadline(exporter)
        crowd.result()
    wait_until("their descriptors are closed", lambda: descriptors(exporter) <= before)
    wait_until("their memory is released", lambda: is_sanitized or has_released_memory(exporter, memory_before))


def test_few_descriptors_limit_clients_without_spinning(start, binary):
    limit = 64
    exporter = start(command=("prlimit", f"--nofile={limit}:{limit}"))

    def cpu_ticks():
        fields = Path(f"/proc/{exporter.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    with Crowd(exporter, limit, "silent") as crowd:
        wait_until("some of them are held", lambda: descriptors(exporter) >= limit // 3)
        begin, ticks = time.monotonic(), cpu_ticks()
        wait_until("clients are closed", lambda: crowd.reconnects > 0)
        assert descriptors(exporter) < limit
        used = (cpu_ticks() - ticks) / 100 / (time.monotonic() - begin)
    assert used < 0.5, "a busy loop uses one CPU"
    assert exporter.get()[0] == 200
    result = subprocess.run(
        ["prlimit", "--nofile=32:32", binary, "--web.listen-address=127.0.0.1:0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert "raise the limit (LimitNOFILE, ulimit -n)" in result.stderr


def test_too_few_threads_are_an_error(binary):
    """Runs as nobody, because RLIMIT_NPROC does not apply to root."""
    as_nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        copy = shutil.copy(binary, directory)
        probe = subprocess.run([*as_nobody, copy, "--version"], capture_output=True, text=True, check=False)
        if probe.returncode != 0:
            pytest.skip(f"cannot be another user here: {probe.stderr.strip()}")
        limited = [*as_nobody, "prlimit", "--nproc=12:12", copy, "--web.listen-address=127.0.0.1:0"]
        result = subprocess.run(limited, capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == 1
        assert "raise the limit (TasksMax, pids.max, ulimit -u)" in result.stderr
