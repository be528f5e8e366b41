"""Faults of the machine: the exporter reports them, exports everything else, and recovers afterwards."""

import fcntl
import re
import shutil
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import FIXTURES, connect_without_waiting, listen, series_of, wait_until

PORT = 10045


@pytest.fixture
def start_with_stderr(binary):
    """Starts an exporter that logs to this file, and returns the process."""
    running = []

    def start_one(stderr, *arguments, environment=None):
        process = subprocess.Popen(
            [binary, f"--web.listen-address=127.0.0.1:{PORT}", *arguments], stderr=stderr, env=environment
        )
        running.append(process)
        wait_until("the exporter listens", lambda: socket.socket().connect_ex(("127.0.0.1", PORT)) == 0)
        return process

    yield start_one
    for process in running:
        if process.poll() is None:
            process.kill()
            process.wait()


def get(path="/metrics"):
    """Returns the body of a response with status 200."""
    with socket.create_connection(("127.0.0.1", PORT), timeout=60) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    return body.decode()


def successes(page):
    """Returns {collector: success}."""
    found = {s: v for s, v in series_of(page).items() if s.startswith("inetdiag_scrape_collector_success")}
    return {re.search('"(.*)"', s).group(1): v for s, v in found.items()}


def terminate(process):
    """Returns the exit status."""
    process.terminate()
    return process.wait(timeout=60)


def test_log_on_a_full_disk_does_not_affect_scrapes(start_with_stderr):
    with open("/dev/full", "w") as full:
        process = start_with_stderr(full, "--log.level=debug")
    assert set(successes(get()).values()) == {1}
    assert terminate(process) == 0


def test_log_that_is_not_read_does_not_delay_scrapes(start_with_stderr, tmp_path):
    proc = tmp_path / "proc"
    shutil.copytree(FIXTURES / "proc", proc)
    softnet = proc / "net" / "softnet_stat"
    text = softnet.read_text()
    read_end, write_end = socket.socketpair()
    write_end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    process = start_with_stderr(write_end, "--log.level=debug", f"--path.procfs={proc}")
    # The collector fails or recovers at each scrape: the log exceeds the socket buffer.
    for i in range(100):
        softnet.unlink()
        softnet.write_text(text) if i % 2 else softnet.mkdir()
        assert successes(get())["softnet"] == i % 2
        if not i % 2:
            softnet.rmdir()
            softnet.touch()
    assert terminate(process) == 0
    write_end.close()
    log = b"".join(iter(lambda: read_end.recv(65536), b""))
    assert log.startswith(b"ts=")
    assert log.count(b"collector failed") < 50, "the log did not exceed the socket buffer"


def test_unreadable_file_fails_only_the_collectors_that_read_it(start, tmp_path):
    proc = tmp_path / "proc"
    shutil.copytree(FIXTURES / "proc", proc)
    exporter = start(f"--path.procfs={proc}")
    complete = exporter.page()
    file = proc / "net" / "netstat"
    file.rename(tmp_path / "away")
    file.mkdir()
    page = exporter.page()
    assert [name for name, value in successes(page).items() if value == 0] == ["nstat", "listeners"]
    lost = series_of(complete).keys() - series_of(page).keys()
    assert any(series.startswith("inetdiag_listener_listen_drops_total") for series in lost)
    assert all(series.startswith(("inetdiag_nstat_", "inetdiag_listener_listen_drops_total")) for series in lost)
    assert f"cannot read {file}: Is a directory" in wait_until("the error is logged", lambda: exporter.log if "cannot read" in exporter.log else "")
    file.rmdir()
    (tmp_path / "away").rename(file)
    assert series_of(exporter.page()).keys() == series_of(complete).keys()
    wait_until("the recovery is logged", lambda: "collector recovered" in exporter.log)


def test_jumps_of_the_wall_clock_do_not_affect_scrapes(start_with_stderr, tmp_path, preload):
    """CLOCK_REALTIME jumps by years, forwards and backwards, at each call."""
    library = tmp_path / "jump.so"
    source = """
        #include <dlfcn.h>
        #include <time.h>
        static int calls;
        static long offset(void) { return (__sync_add_and_fetch(&calls, 1) % 3 - 1) * 100000000L; }
        int clock_gettime(clockid_t clock, struct timespec *t) {
          static int (*real)(clockid_t, struct timespec *);
          if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
          int status = real(clock, t);
          if (clock == CLOCK_REALTIME) t->tv_sec += offset();
          return status;
        }
        time_t time(time_t *t) {
          struct timespec now;
          clock_gettime(CLOCK_REALTIME, &now);
          return t ? (*t = now.tv_sec) : now.tv_sec;
        }
    """
    compiler = ["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-x", "c", "-", "-o", library]
    subprocess.run(compiler, input=source, text=True, check=True)
    log = tmp_path / "log"
    with log.open("w") as file:
        process = start_with_stderr(file, environment={"LD_PRELOAD": str(library)})
    for _ in range(20):
        assert set(successes(get()).values()) == {1}
    assert '"schema_version": 1' in get("/api/v1/status")
    assert terminate(process) == 0
    years = set(re.findall(r"^ts=(\d{4})", log.read_text(), re.MULTILINE))
    assert len(years) > 1, "the clock did not jump"


def test_print_reports_a_full_disk_and_a_blocked_collector(binary, tmp_path, preload):
    library = tmp_path / "block.so"
    source = """
        #include <dlfcn.h>
        #include <string.h>
        #include <unistd.h>
        #define BLOCK(name) \\
          int name(const char *path, int flags, int mode) { \\
            while (strstr(path, "/net/sockstat")) pause(); \\
            return ((int (*)(const char *, int, int))dlsym(RTLD_NEXT, #name))(path, flags, mode); \\
          }
        BLOCK(open)
        BLOCK(open64)
    """
    compiler = ["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-x", "c", "-", "-o", library]
    subprocess.run(compiler, input=source, text=True, check=True)
    with open("/dev/full", "w") as full:
        printed = subprocess.run(
            [binary, "print"], env={"LD_PRELOAD": str(library)},
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )
    assert printed.returncode == 2
    assert 'collector=sockstat error="timed out (scrape deadline)' in printed.stderr
    assert "No space left on device" in printed.stderr


def test_sigterm_during_dumps_leaves_no_partial_response(start):
    """With many sockets, so that a dump is in progress most of the time."""
    server = listen(backlog=4096)
    clients = []
    for _ in range(2000):
        clients += connect_without_waiting(server.getsockname()[1], 1)
        clients.append(server.accept()[0])
    exporter = start("--collector.tcp.cpu-budget=100%")
    stop = threading.Event()

    def scrape():
        statuses = set()
        while not stop.is_set():
            try:
                status, headers, body = exporter.get()
            except OSError:
                break
            assert len(body) == int(headers["Content-Length"])
            statuses.add(status)
        return statuses

    with ThreadPoolExecutor(4) as pool:
        scrapes = [pool.submit(scrape) for _ in range(4)]
        assert exporter.get()[0] == 200
        status, log = exporter.end()
        stop.set()
        assert set().union(*(s.result() for s in scrapes)) <= {200, 503}
    assert status == 0
    assert "level=error" not in log
    for client in (*clients, server):
        client.close()


def test_recovers_from_memory_exhaustion(start, is_sanitized):
    exporter = start()
    if is_sanitized:
        pytest.skip("a sanitizer needs a large address space")
    complete = exporter.page()
    pid = exporter.process.pid

    def limit(address_space):
        subprocess.run(["prlimit", f"--pid={pid}", f"--as={address_space}"], check=True)

    size = int(Path(f"/proc/{pid}/status").read_text().partition("VmSize:")[2].split()[0]) * 1024
    limit(f"{size}:")

    def scrape(_):
        try:
            return exporter.get("/api/v1/status")[0]
        except OSError:
            return None

    # The responses need more memory than the limit allows.
    connected = [socket.create_connection(("127.0.0.1", exporter.port)) for _ in range(200)]
    with ThreadPoolExecutor(32) as pool:
        statuses = set(pool.map(scrape, range(200)))
    assert statuses <= {200, 500, 503, None}
    assert statuses != {200}, "the memory limit had no effect"
    assert exporter.process.poll() is None, exporter.log
    limit("unlimited:")
    for client in connected:
        client.close()
    page = exporter.page()
    assert set(successes(page).values()) == {1}
    # The connections waited at the exporter's own listener, so it has samples.
    assert series_of(page).keys() >= series_of(complete).keys()
