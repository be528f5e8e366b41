"""Faults of the machine around the real program: it says so, loses nothing else, and is whole again
when they are over."""

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
def start_deaf(binary):
    """Starts an exporter whose log goes to `stderr`, which is not read; gives its process."""
    running = []

    def start_one(stderr, *arguments, environment=None):
        process = subprocess.Popen(
            [binary, f"--web.listen-address=127.0.0.1:{PORT}", *arguments], stderr=stderr, env=environment
        )
        running.append(process)
        wait_until("it listens", lambda: socket.socket().connect_ex(("127.0.0.1", PORT)) == 0)
        return process

    yield start_one
    for process in running:
        if process.poll() is None:
            process.kill()
            process.wait()


def get(path="/metrics"):
    with socket.create_connection(("127.0.0.1", PORT), timeout=60) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    return body.decode()


def successes(page):
    found = {s: v for s, v in series_of(page).items() if s.startswith("inetdiag_scrape_collector_success")}
    return {re.search('"(.*)"', s).group(1): v for s, v in found.items()}


def end(process):
    process.terminate()
    return process.wait(timeout=60)


def test_a_full_disk_for_the_log(start_deaf):
    with open("/dev/full", "w") as full:
        process = start_deaf(full, "--log.level=debug")
    assert set(successes(get()).values()) == {1}
    assert end(process) == 0


def test_a_log_that_nobody_reads(start_deaf, tmp_path):
    proc = tmp_path / "proc"
    shutil.copytree(FIXTURES / "proc", proc)
    softnet = proc / "net" / "softnet_stat"
    text = softnet.read_text()
    read_end, write_end = socket.socketpair()
    write_end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    process = start_deaf(write_end, "--log.level=debug", f"--path.procfs={proc}")
    # Every second scrape has something new to tell: more than fits.
    for i in range(100):
        softnet.unlink()
        softnet.write_text(text) if i % 2 else softnet.mkdir()
        assert successes(get())["softnet"] == i % 2
        if not i % 2:
            softnet.rmdir()
            softnet.touch()
    assert end(process) == 0
    write_end.close()
    assert read_end.recv(100).startswith(b"ts=")


def test_an_unreadable_file_of_the_kernel(start, tmp_path):
    proc = tmp_path / "proc"
    shutil.copytree(FIXTURES / "proc", proc)
    exporter = start(f"--path.procfs={proc}")
    whole = exporter.page()
    file = proc / "net" / "netstat"
    file.rename(tmp_path / "away")
    file.mkdir()
    page = exporter.page()
    assert [name for name, value in successes(page).items() if value == 0] == ["nstat"]
    lost = series_of(whole).keys() - series_of(page).keys()
    assert lost and all(series.startswith("inetdiag_nstat_") for series in lost)
    assert f"cannot read {file}: Is a directory" in wait_until("it is told", lambda: exporter.log if "cannot read" in exporter.log else "")
    file.rmdir()
    (tmp_path / "away").rename(file)
    assert series_of(exporter.page()).keys() == series_of(whole).keys()
    wait_until("its end is told", lambda: "collector recovered" in exporter.log)


def test_a_clock_that_jumps(start_deaf, tmp_path, is_sanitized):
    """The time of day leaps by years, to and fro, at every look at it."""
    if is_sanitized:
        pytest.skip("a sanitizer must be the first library that is loaded")
    library = tmp_path / "jump.so"
    source = """
        #include <dlfcn.h>
        #include <time.h>
        static int looks;
        static long leap(void) { return (__sync_add_and_fetch(&looks, 1) % 3 - 1) * 100000000L; }
        int clock_gettime(clockid_t clock, struct timespec *t) {
          static int (*real)(clockid_t, struct timespec *);
          if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
          int status = real(clock, t);
          if (clock == CLOCK_REALTIME) t->tv_sec += leap();
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
        process = start_deaf(file, environment={"LD_PRELOAD": str(library)})
    for _ in range(20):
        assert set(successes(get()).values()) == {1}
    assert '"schema_version": 1' in get("/api/v1/status")
    assert end(process) == 0
    years = set(re.findall(r"^ts=(\d{4})", log.read_text(), re.MULTILINE))
    assert len(years) > 1, "the clock did not jump"


def test_a_full_disk_while_the_kernel_holds_up_a_collector(binary, tmp_path, is_sanitized):
    if is_sanitized:
        pytest.skip("a sanitizer must be the first library that is loaded")
    library = tmp_path / "stuck.so"
    source = """
        #include <dlfcn.h>
        #include <string.h>
        #include <unistd.h>
        #define STUCK(name) \\
          int name(int folder, const char *path, int flags, int mode) { \\
            while (strstr(path, "/net/sockstat")) pause(); \\
            return ((int (*)(int, const char *, int, int))dlsym(RTLD_NEXT, #name))(folder, path, flags, mode); \\
          }
        STUCK(openat)
        STUCK(openat64)
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


def test_sigterm_during_dumps(start):
    """Enough sockets that a dump takes a while, asked for all the time."""
    server = listen(backlog=4096)
    clients = []
    for _ in range(2000):
        clients += connect_without_waiting(server.getsockname()[1], 1)
        clients.append(server.accept()[0])
    exporter = start("--collector.tcp.cpu-budget=100%")
    over = threading.Event()

    def ask():
        answers = set()
        while not over.is_set():
            try:
                status, headers, body = exporter.get()
            except OSError:
                break
            assert len(body) == int(headers["Content-Length"])
            answers.add(status)
        return answers

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask) for _ in range(4)]
        assert exporter.get()[0] == 200
        status, log = exporter.end()
        over.set()
        assert set().union(*(a.result() for a in asked)) <= {200, 503}
    assert status == 0
    assert "level=error" not in log
    for client in (*clients, server):
        client.close()


def test_memory_that_runs_out(start, is_sanitized):
    exporter = start()
    if is_sanitized:
        pytest.skip("a sanitizer needs address space of its own")
    whole = exporter.page()
    pid = exporter.process.pid

    def limit(address_space):
        subprocess.run(["prlimit", f"--pid={pid}", f"--as={address_space}"], check=True)

    size = int(Path(f"/proc/{pid}/status").read_text().partition("VmSize:")[2].split()[0]) * 1024
    limit(f"{size}:")
    statuses = set()

    def scrape(_):
        try:
            return exporter.get("/api/v1/status")[0]
        except OSError:
            return None

    # More answers at once than the memory that is there holds.
    connected = [socket.create_connection(("127.0.0.1", exporter.port)) for _ in range(200)]
    with ThreadPoolExecutor(32) as pool:
        statuses = set(pool.map(scrape, range(200)))
    assert statuses <= {200, 500, 503, None}
    assert exporter.process.poll() is None, exporter.log
    limit("unlimited:")
    for client in connected:
        client.close()
    page = exporter.page()
    assert set(successes(page).values()) == {1}
    assert series_of(page).keys() == series_of(whole).keys()
