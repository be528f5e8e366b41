"""`print`: one scrape on standard output or into a file of node_exporter's textfile collector."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from datetime import datetime, timezone

import pytest

from conftest import FIXTURES, connect_without_waiting, families_of, listen, series_of, wait_until

NODE_EXPORTER = "prometheus-node-exporter"
RECORDED_FILES = (f"--path.procfs={FIXTURES}/proc", f"--path.sysfs={FIXTURES}")


def test_print_and_server_return_the_same_metrics(start, run):
    server = listen(backlog=2)
    clients = connect_without_waiting(server.getsockname()[1], 3)
    unix = socket.socketpair()  # the server has UNIX sockets of its own
    printed = run("print", *RECORDED_FILES)
    assert (printed.returncode, printed.stderr) == (0, "")
    page = start("--web.disable-exporter-metrics", *RECORDED_FILES).page()
    served_families = families_of(page)
    assert served_families.pop("inetdiag_sandbox_active") == "gauge"  # print has no sandbox
    assert families_of(printed.stdout) == served_families
    # Without the server's own sockets, and durations.
    same = re.compile(
        r"inetdiag_(nstat|sysctl|exporter)|^(?!.*oldest_seconds).*port=\"%d\"" % server.getsockname()[1]
    )
    served = {s: v for s, v in series_of(page).items() if same.search(s)}
    assert served == {s: v for s, v in series_of(printed.stdout).items() if same.search(s)}
    assert len(served) > 300
    assert len(clients) == 3 and len(unix) == 2


def test_json_contains_the_same_series(run):
    server = listen(backlog=7)
    text = families_of(run("print", *RECORDED_FILES).stdout), series_of(run("print", *RECORDED_FILES).stdout)
    printed = run("print", "--format=json", *RECORDED_FILES)
    assert printed.returncode == 0
    document = json.loads(printed.stdout)
    assert (document["schema_version"], document["exporter_version"]) == (1, "0.1.0")
    printed_at = datetime.strptime(document["time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    assert abs((datetime.now(timezone.utc) - printed_at).total_seconds()) < 600
    families = {family["name"]: family for family in document["families"]}
    assert {name: family["type"] for name, family in families.items()} == text[0]
    series = {}
    for name, family in families.items():
        assert family["help"]
        for metric in family["series"]:
            label_text = ",".join(f'{key}="{value}"' for key, value in metric["labels"].items())
            series[name + (f"{{{label_text}}}" if label_text else "")] = metric["value"]
    durations = "inetdiag_scrape_collector_duration_seconds"
    assert {s: v for s, v in series.items() if durations not in s} == {
        s: v for s, v in text[1].items() if durations not in s
    }
    labels = {"address": "127.0.0.1", "port": str(server.getsockname()[1])}
    limits = families["inetdiag_listener_accept_queue_limit"]["series"]
    assert limits == [{"labels": labels, "value": 7}]


def test_failed_collector_sets_the_exit_status(run, tmp_path):
    printed = run("print", f"--path.procfs={tmp_path}")
    assert printed.returncode == 1
    success = {s: v for s, v in series_of(printed.stdout).items() if "collector_success" in s}
    assert set(success.values()) == {0, 1}
    assert "collector failed" in printed.stderr


def test_write_error_sets_the_exit_status(run, binary, tmp_path):
    printed = run("print", f"--output={tmp_path}/no such directory/x.prom")
    assert (printed.returncode, printed.stdout) == (2, "")
    assert "no such directory" in printed.stderr
    with open("/dev/full", "wb") as full:
        assert subprocess.run([binary, "print"], stdout=full, stderr=subprocess.DEVNULL, check=False).returncode == 2


def test_full_disk_keeps_the_old_file(binary, tmp_path):
    script = (
        "set -e; mount -t tmpfs -o size=64k none \"$2\"; cd \"$2\"; echo old > x.prom;"
        "set +e; \"$1\" print --output x.prom; echo $?; ls -A; cat x.prom"
    )
    result = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", binary, str(tmp_path)],
        capture_output=True, text=True, check=False,
    )
    if "mount" in result.stderr:
        pytest.skip(f"mount is not permitted: {result.stderr.strip()}")
    assert result.stdout.splitlines() == ["2", "x.prom", "old"]
    assert "No space left on device" in result.stderr


@pytest.mark.parametrize(
    "arguments", [("--format=xml",), ("--output",), ("--output=",), ("extra",), ("--no-such-flag",), ("--netns.include=(",)]
)
def test_invalid_flags_set_the_exit_status(run, arguments):
    result = run("print", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert "--help" in result.stderr


@pytest.fixture
def node_exporter(tmp_path):
    """Starts node_exporter on this directory. Yields a function that scrapes it."""
    process = subprocess.Popen(
        [
            NODE_EXPORTER,
            "--collector.disable-defaults",
            "--collector.textfile",
            f"--collector.textfile.directory={tmp_path}",
            "--web.listen-address=127.0.0.1:9100",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def page():
        with urllib.request.urlopen("http://127.0.0.1:9100/metrics", timeout=60) as response:
            return response.read().decode()

    def is_up():
        try:
            return page()
        except OSError:
            return None

    wait_until("node_exporter is up", is_up)
    yield page
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)


def test_node_exporter_reads_complete_files_while_they_are_replaced(run, node_exporter, tmp_path):
    output = tmp_path / "inetdiag.prom"
    command = ("print", f"--output={output}", *RECORDED_FILES)
    assert run(*command).returncode == 0
    assert oct(os.stat(output).st_mode & 0o7777) == "0o644"
    expected = set(families_of(output.read_text()))
    assert len(expected) > 100
    stop = threading.Event()
    statuses = []

    def replace():
        while not stop.is_set():
            statuses.append(run(*command).returncode)

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        pages = 0
        while pages < 20 or len(statuses) < 5:
            page = node_exporter()
            assert expected <= set(families_of(page))
            assert series_of(page)["node_textfile_scrape_error"] == 0
            pages += 1
            time.sleep(0)
    finally:
        stop.set()
        writer.join()
    assert set(statuses) == {0}
    assert os.listdir(tmp_path) == ["inetdiag.prom"]
