"""The sandbox of the running program. tests/live/sandbox_test.cpp tests what it forbids; all other
end-to-end tests check that the collectors work in it."""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from conftest import may_change_user, wait_until
from dns_server import DnsServer
from test_access import TLS, config, curl, keys  # noqa: F401, fixtures among them

NO_CAPABILITIES = "0" * 16
# CAP_SYS_PTRACE and CAP_SYS_ADMIN, which find and enter the namespaces of processes.
NAMESPACE_CAPABILITIES = "0000000000280000"
CAPABILITY_SETS = ("CapInh", "CapPrm", "CapEff", "CapAmb")


def threads_of(exporter):
    """Returns the status of each thread as {name: value}."""
    return [
        dict(re.findall(r"^(\w+):\s*(\S*)", status.read_text(), re.MULTILINE))
        for status in Path(f"/proc/{exporter.process.pid}/task").glob("*/status")
    ]


def assert_in_sandbox(exporter, capabilities=NO_CAPABILITIES, missing=None):
    """Checks every thread, and that the log reports `missing`."""
    if "built with" in exporter.log:
        pytest.skip("sanitizers do not work in the sandbox")
    threads = threads_of(exporter)
    assert len(threads) > 1
    for thread in threads:
        name = thread["Name"]
        assert {thread[kind] for kind in CAPABILITY_SETS} <= {NO_CAPABILITIES, capabilities}, name
        assert thread["CapEff"] == capabilities, name
        # Seccomp_filters since Linux 5.9.
        assert (thread["NoNewPrivs"], thread["Seccomp"], thread.get("Seccomp_filters", "1")) == ("1", "2", "1"), name
    logged = re.search(r'sandbox only partially applied" missing="?([^"\n]*)', exporter.log)
    has_limited_kernel = logged and re.search("this kernel|not permitted here|Linux 6", logged[1])
    if not has_limited_kernel:
        assert (logged and logged[1]) == missing


def assert_all_succeed(page):
    successes = re.findall(r'^inetdiag_scrape_collector_success\{collector="(\w+)"\} (\d)$', page, re.MULTILINE)
    assert len(successes) > 5
    assert {value for _, value in successes} == {"1"}, successes


@pytest.fixture
def listener():
    """Returns the socket of a StatsD listener."""
    receiver = socket.socket(type=socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(60)
    return receiver


@pytest.fixture(params=["root", "user"])
def command(request):
    """A command prefix that runs the exporter as this user."""
    if request.param == "root":
        return []
    if os.getuid() == 0 and not may_change_user():
        pytest.skip("this user namespace maps no other user")
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else ["setpriv"]
    return [*drop, "--bounding-set=-all", "--inh-caps=-all"]


def test_every_thread_is_in_the_sandbox(start, command):
    exporter = start(command=command)
    assert_all_succeed(exporter.page())
    assert_in_sandbox(exporter)


def test_every_thread_is_in_the_sandbox_with_tls_and_statsd(start, config, keys, listener):  # noqa: F811
    arguments = [config(TLS), f"--statsd.address=localhost:{listener.getsockname()[1]}", "--statsd.interval=100ms"]
    exporter = start(*arguments)
    assert listener.recv(65536).startswith(b"inetdiag")
    code, status, page = curl(exporter, keys, path="/metrics")
    assert (code, status) == (0, 200)
    assert_all_succeed(page)
    assert_in_sandbox(exporter)


def test_netns_discovery_keeps_two_capabilities(start):
    exporter = start("--netns.discover=all")
    assert_all_succeed(exporter.page())
    assert_in_sandbox(
        exporter,
        NAMESPACE_CAPABILITIES,
        missing="landlock: incompatible with reading /proc/PID/ns of other processes",
    )


def test_statsd_address_is_resolved_by_dns_in_the_sandbox(start, listener, tmp_path):
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    mount = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    private = ["unshare", "--mount", "sh", "-c", mount, str(tmp_path / "resolv.conf")]
    if subprocess.run([*private, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounts are not permitted")
    dns = DnsServer()
    address = f"statsd.example:{listener.getsockname()[1]}"
    exporter = start(f"--statsd.address={address}", "--statsd.interval=100ms", command=private)
    assert listener.recv(65536).startswith(b"inetdiag")
    assert "statsd.example" in dns.queried_names
    assert_in_sandbox(exporter)


def test_statsd_unix_socket_is_reachable_in_the_sandbox(start, tmp_path):
    exporter = start(f"--statsd.address=unix://{tmp_path}/statsd.sock", "--statsd.interval=100ms")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "statsd.sock"))
        receiver.settimeout(60)
        assert receiver.recv(65536).startswith(b"inetdiag")
    assert_in_sandbox(exporter)


def test_web_configuration_in_the_root_directory_allows_no_files_below(start, keys, binary, tmp_path):  # noqa: F811
    """As in a container with the file mounted there."""
    root = tmp_path / "root"
    mounts = [folder for folder in ("/usr", "/lib", "/lib64", "/proc", "/sys") if Path(folder).exists()]
    for folder in ("below", *(folder[1:] for folder in mounts)):
        (root / folder).mkdir(parents=True)
    shutil.copy(binary, root / "exporter")
    for name in ("server.crt", "server.key"):
        shutil.copy(keys / name, root)
        shutil.copy(keys / name.replace("server", "renewed"), root / "below" / name)
    (root / "web.yml").write_text(TLS)
    bind = "".join(f"mount --rbind {folder} {root}{folder} && " for folder in mounts)
    private = ["unshare", "--mount", "sh", "-c", f'{bind} shift && exec chroot {root} /exporter "$@"', "sh"]
    if subprocess.run([*private, binary, "--version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("mount or chroot is not permitted")
    exporter = start("--web.config.file=/web.yml", command=private)
    assert curl(exporter, keys)[1] == 200
    assert_in_sandbox(exporter)
    if re.search("landlock: (?!outgoing TCP ports)", exporter.log):
        pytest.skip("Landlock is not available")
    log_length = len(exporter.log)
    # In place: Landlock allows this file, and not one that replaces it.
    (root / "web.yml").write_text(TLS.replace("server.", "below/server."))
    outcome = r"cannot read /below/server\.crt: ([\w ]+)|web configuration reloaded"
    reload = wait_until("it is reloaded", lambda: curl(exporter, keys)[1] and re.search(outcome, exporter.log[log_length:]))
    assert reload[1] == "Permission denied"
    (root / "web.yml").write_text(TLS + "http_server_config: {headers: {X-Frame-Options: deny}}\n")
    wait_until("the headers are sent", lambda: "X-Frame-Options: deny" in curl(exporter, keys, "--head")[2])


def active_parts(exporter):
    """Returns {part: whether it is active} from /metrics."""
    return {
        series.split('"')[1]: value == 1
        for series, value in exporter.series().items()
        if series.startswith("inetdiag_sandbox_active{")
    }


def test_metrics_report_the_active_parts(start):
    exporter = start()
    active = active_parts(exporter)
    if "built with" in exporter.log:
        assert not any(active.values())
        pytest.skip("sanitizers do not work in the sandbox")
    assert set(active) == {"capabilities", "no_new_privs", "landlock", "seccomp"}
    threads = threads_of(exporter)
    assert active["capabilities"] == all(thread["CapEff"] == NO_CAPABILITIES for thread in threads)
    assert active["no_new_privs"] == all(thread["NoNewPrivs"] == "1" for thread in threads)
    assert active["seccomp"] == all(thread["Seccomp"] == "2" for thread in threads)
    assert active["landlock"] == ("landlock: " not in exporter.log or "outgoing TCP" in exporter.log)


def test_metrics_report_that_landlock_is_incompatible_with_process_discovery(start):
    assert not active_parts(start("--netns.discover=all"))["landlock"]


def test_no_sandbox_disables_all_parts(start):
    exporter = start("--no-sandbox")
    assert active_parts(exporter) == dict.fromkeys(("capabilities", "no_new_privs", "landlock", "seccomp"), False)
    assert {thread["Seccomp"] for thread in threads_of(exporter)} == {"0"}
    assert "sandbox" not in exporter.log
