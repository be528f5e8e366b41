"""UNIX sockets, and sockets that systemd passes (socket activation)."""

import os
import shutil
import socket
import stat
import subprocess
import sys

import pytest

from conftest import Exporter, wait_until
from test_access import keys  # noqa: F401, a fixture
from test_prometheus import prometheus  # noqa: F401, a fixture

# Starts a program as systemd does: with the sockets from descriptor 3 on, and its own process ID.
ACTIVATE = """
import os, sys
descriptors = [int(fd) for fd in sys.argv[1].split(",") if fd]
for fd in descriptors:
    os.dup2(fd, fd + 100)
for i, fd in enumerate(descriptors):
    os.dup2(fd + 100, 3 + i)
    os.set_inheritable(3 + i, True)
    os.close(fd + 100)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(descriptors)), LISTEN_FDNAMES="name")
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture
def activate(binary, command_prefix):
    """Starts exporters with passed sockets, and stops them at the end of the test."""
    running = []

    def start(sockets, *arguments):
        fds = [each.fileno() for each in sockets]
        as_systemd = [sys.executable, "-c", ACTIVATE, ",".join(map(str, fds))]
        process = subprocess.Popen(
            [*command_prefix, *as_systemd, binary, "--web.systemd-socket", *arguments],
            pass_fds=fds,
            stderr=subprocess.PIPE,
            text=True,
        )
        exporter = Exporter(process)
        running.append(exporter)
        wait_until(
            "the exporter listens on each socket",
            lambda: exporter.log.count("msg=listening") == len(sockets) > 0 or process.poll() is not None,
        )
        return exporter

    yield start
    for exporter in running:
        if exporter.process.poll() is None:
            exporter.process.terminate()
            assert exporter.process.wait(timeout=60) == 0, exporter.log


def listening(address):
    """Returns a listening socket: of a path, or of a host."""
    family = socket.AF_UNIX if "/" in address else socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family)
    server.bind(address if family == socket.AF_UNIX else (address, 0))
    server.listen(16)
    return server


def url_of(server):
    host, port = server.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def curl(*arguments):
    command = ["curl", "--silent", "--show-error", "--fail", "--max-time", "60", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def assert_is_metrics(page):
    assert "inetdiag_exporter_build_info{" in page


def test_passed_sockets_are_served(activate, tmp_path):
    path = str(tmp_path / "socket")
    servers = [listening("127.0.0.1"), listening("::1"), listening(path)]
    exporter = activate(servers)
    assert f"address={url_of(servers[0])}/" in exporter.log
    assert f"address={url_of(servers[1])}/" in exporter.log
    assert f"address=unix:{path}" in exporter.log
    for server in servers[:2]:
        assert_is_metrics(curl(f"{url_of(server)}/metrics"))
    page = curl("--unix-socket", path, "http://localhost/metrics")
    assert_is_metrics(page)
    if 'inetdiag_sandbox_active{part="seccomp"} 1' in page:
        assert 'inetdiag_sandbox_active{part="capabilities"} 1' in page


def test_a_request_that_waited_in_the_socket_is_answered(activate, tmp_path):
    path = str(tmp_path / "socket")
    for server in (listening("127.0.0.1"), listening(path)):
        client = socket.socket(server.family)
        client.connect(server.getsockname())
        client.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
        activate([server])
        client.settimeout(60)
        answer = b""
        while chunk := client.recv(4096):
            answer += chunk
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"\r\n\r\nOK\n")


def test_the_socket_outlives_the_exporter(activate):
    server = listening("127.0.0.1")
    for _ in range(2):
        exporter = activate([server])
        assert_is_metrics(curl(f"{url_of(server)}/metrics"))
        status, log = exporter.end()
        assert status == 0, log


@pytest.mark.plain_only
def test_prometheus_scrapes_a_passed_socket(activate, prometheus):  # noqa: F811
    server = listening("127.0.0.1")
    activate([server])
    query = prometheus(server.getsockname()[1])
    wait_until("Prometheus has scraped", lambda: query("up{job='inetdiag'} == 1"))


def test_systemd_socket_activate(binary, tmp_path):
    if not shutil.which("systemd-socket-activate"):
        pytest.skip("systemd-socket-activate is not installed")
    path = str(tmp_path / "socket")
    command = ["systemd-socket-activate", "--listen", path, binary, "--web.systemd-socket"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        exporter = Exporter(process)
        wait_until("systemd-socket-activate listens", lambda: os.path.exists(path) and "Listening on" in exporter.log)
        assert_is_metrics(curl("--unix-socket", path, "http://localhost/metrics"))
        status, log = exporter.end()
        assert status == 0, log


def test_tls_over_passed_sockets(activate, keys, tmp_path):  # noqa: F811
    config = tmp_path / "web.yml"
    config.write_text(f"tls_server_config:\n  cert_file: {keys}/server.crt\n  key_file: {keys}/server.key\n")
    path = str(tmp_path / "socket")
    server = listening("127.0.0.1")
    exporter = activate([server, listening(path)], f"--web.config.file={config}")
    port = server.getsockname()[1]
    assert f"address=https://127.0.0.1:{port}/" in exporter.log
    assert_is_metrics(curl("--cacert", f"{keys}/ca.crt", f"https://127.0.0.1:{port}/metrics"))
    assert_is_metrics(curl("--unix-socket", path, "--cacert", f"{keys}/ca.crt", "https://127.0.0.1/metrics"))
    assert subprocess.run(["curl", "--silent", "--fail", url_of(server)], check=False).returncode != 0


@pytest.mark.parametrize(
    "variables, message",
    [
        ({}, "LISTEN_FDS is not set"),
        ({"LISTEN_FDS": "1"}, "LISTEN_FDS is not set"),
        ({"LISTEN_FDS": "1", "LISTEN_PID": "1"}, "the sockets are for process 1 (LISTEN_PID)"),
    ],
)
def test_missing_sockets_are_fatal(binary, variables, message):
    command = ["env", *(f"{name}={value}" for name, value in variables.items()), binary, "--web.systemd-socket"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert message in result.stderr


def test_other_descriptors_are_fatal(activate):
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    exporter = activate([server])
    assert exporter.process.wait(timeout=60) == 1
    exporter._reader.join()
    assert "descriptor 3 is not a listening stream socket; use ListenStream= and Accept=no" in exporter.log
    exporter = activate([])
    assert exporter.process.wait(timeout=60) == 1
    exporter._reader.join()
    assert "invalid LISTEN_FDS '0'" in exporter.log


def test_sockets_without_the_flag_are_reported(start):
    exporter = start(command=["env", "LISTEN_FDS=1"])
    assert "ignoring the sockets that systemd passes; use --web.systemd-socket" in exporter.log


@pytest.fixture
def start_on_unix(binary, command_prefix):
    """Starts exporters on a UNIX socket, and stops them at the end of the test."""
    running = []

    def start_one(path, *arguments):
        command = [*command_prefix, binary, f"--web.listen-address=unix:{path}", *arguments]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        exporter = Exporter(process)
        running.append(exporter)
        wait_until("the exporter listens", lambda: f"address=unix:{path}" in exporter.log or process.poll() is not None)
        return exporter

    yield start_one
    for exporter in running:
        if exporter.process.poll() is None:
            exporter.process.terminate()
            assert exporter.process.wait(timeout=60) == 0, exporter.log


def test_unix_socket(start_on_unix, tmp_path):
    path = tmp_path / "socket"
    exporter = start_on_unix(path, "--web.listen-address=127.0.0.1:0")
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert_is_metrics(curl("--unix-socket", str(path), "http://localhost/metrics"))
    wait_until("both addresses are logged", lambda: exporter.log.count("msg=listening") == 2)
    # The file remains: the sandbox lets the exporter remove none.
    status, log = exporter.end()
    assert status == 0, log
    start_on_unix(path)
    assert_is_metrics(curl("--unix-socket", str(path), "http://localhost/metrics"))


def test_unix_socket_after_a_kill(start_on_unix, tmp_path):
    path = tmp_path / "socket"
    exporter = start_on_unix(path)
    exporter.process.kill()
    exporter.process.wait()
    exporter._reader.join()
    start_on_unix(path)
    assert_is_metrics(curl("--unix-socket", str(path), "http://localhost/metrics"))


def test_unix_socket_errors(start_on_unix, run, tmp_path):
    path = tmp_path / "socket"
    start_on_unix(path)
    file = tmp_path / "file"
    file.touch()
    for target, message in {
        path: "another program listens on it",
        file: "the file is not a socket; remove it",
        tmp_path / "none" / "socket": "the directory must exist",
    }.items():
        result = run(f"--web.listen-address=unix:{target}")
        assert result.returncode == 1
        assert f"cannot listen on unix:{target}: " in result.stderr and message in result.stderr
    assert file.exists()
    assert_is_metrics(curl("--unix-socket", str(path), "http://localhost/metrics"))


def test_failed_authentication_names_the_unix_client(start_on_unix, tmp_path):
    config = tmp_path / "web.yml"
    config.write_text("basic_auth_users:\n  user: $2y$05$1A8NuVZV1sqFtIK.bcfHe.nWL5AwN2.k8yyPtSbdf/nZL/Nr6IaBW\n")
    path = tmp_path / "socket"
    exporter = start_on_unix(path, f"--web.config.file={config}")
    command = ["curl", "--silent", "--include", "--unix-socket", path, "--user", "user:x", "http://localhost/metrics"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert answer.startswith("HTTP/1.1 401 ")
    wait_until("the log has the client", lambda: "client=unix" in exporter.log)
