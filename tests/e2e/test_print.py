"""`print`: one scrape, for people, cron and node_exporter's textfile collector."""

import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.request
from datetime import datetime, timezone

import pytest

from conftest import FIXTURES, connect_without_waiting, families_of, listen, series_of, wait_until

NODE_EXPORTER = "prometheus-node-exporter"
FIXED = (f"--path.procfs={FIXTURES}/proc", f"--path.sysfs={FIXTURES}")


def test_it_prints_what_the_server_serves(start, run):
    server = listen(backlog=2)
    clients = connect_without_waiting(server.getsockname()[1], 3)
    printed = run("print", *FIXED)
    assert (printed.returncode, printed.stderr) == (0, "")
    page = start("--web.disable-exporter-metrics", *FIXED).page()
    assert families_of(printed.stdout) == families_of(page)
    # All but the server's own listener and connections, and how long it took.
    same = re.compile(r"inetdiag_(nstat|sysctl|exporter)|port=\"%d\"" % server.getsockname()[1])
    served = {s: v for s, v in series_of(page).items() if same.search(s)}
    assert served == {s: v for s, v in series_of(printed.stdout).items() if same.search(s)}
    assert len(served) > 300
    assert len(clients) == 3


def test_json_has_the_same_series(run):
    server = listen(backlog=7)
    text = families_of(run("print", *FIXED).stdout), series_of(run("print", *FIXED).stdout)
    printed = run("print", "--format=json", *FIXED)
    assert printed.returncode == 0
    document = json.loads(printed.stdout)
    assert (document["schema_version"], document["exporter_version"]) == (1, "0.1.0")
    told = datetime.strptime(document["time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    assert abs((datetime.now(timezone.utc) - told).total_seconds()) < 600
    families = {family["name"]: family for family in document["families"]}
    assert {name: family["type"] for name, family in families.items()} == text[0]
    series = {}
    for name, family in families.items():
        assert family["help"]
        for each in family["series"]:
            labels = ",".join(f'{key}="{value}"' for key, value in each["labels"].items())
            series[name + (f"{{{labels}}}" if labels else "")] = each["value"]
    durations = "inetdiag_scrape_collector_duration_seconds"
    assert {s: v for s, v in series.items() if durations not in s} == {
        s: v for s, v in text[1].items() if durations not in s
    }
    at = {"address": "127.0.0.1", "port": str(server.getsockname()[1])}
    limits = families["inetdiag_listener_accept_queue_limit"]["series"]
    assert limits == [{"labels": at, "value": 7}]


def test_a_collector_that_fails_shows_in_the_status(run, tmp_path):
    printed = run("print", f"--path.procfs={tmp_path}")
    assert printed.returncode == 1
    success = {s: v for s, v in series_of(printed.stdout).items() if "collector_success" in s}
    assert set(success.values()) == {0, 1}
    assert "collector failed" in printed.stderr


def test_what_cannot_be_written_shows_in_the_status(run, binary, tmp_path):
    printed = run("print", f"--output={tmp_path}/no such folder/x.prom")
    assert (printed.returncode, printed.stdout) == (2, "")
    assert "no such folder" in printed.stderr
    with open("/dev/full", "wb") as full:
        assert subprocess.run([binary, "print"], stdout=full, stderr=subprocess.DEVNULL, check=False).returncode == 2


def test_a_full_disk_leaves_the_old_file_and_no_other(binary, tmp_path):
    script = (
        "set -e; mount -t tmpfs -o size=64k none \"$2\"; cd \"$2\"; echo old > x.prom;"
        "set +e; \"$1\" print --output x.prom; echo $?; ls -A; cat x.prom"
    )
    result = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", binary, str(tmp_path)],
        capture_output=True, text=True, check=False,
    )
    if "mount" in result.stderr:
        pytest.skip(f"no file system of its own: {result.stderr.strip()}")
    assert result.stdout.splitlines() == ["2", "x.prom", "old"]
    assert "No space left on device" in result.stderr


@pytest.mark.parametrize(
    "wrong", [("--format=xml",), ("--output",), ("--output=",), ("extra",), ("--no-such-flag",), ("--netns.include=(",)]
)
def test_wrong_flags_have_the_status_of_nothing_printed(run, wrong):
    result = run("print", *wrong)
    assert (result.returncode, result.stdout) == (2, "")
    assert "--help" in result.stderr


@pytest.fixture
def node_exporter(tmp_path):
    """A real node_exporter that reads this folder; yields a function that asks it."""
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


def test_node_exporter_reads_it_whole_while_it_is_replaced(run, node_exporter, tmp_path):
    output = tmp_path / "inetdiag.prom"
    command = ("print", f"--output={output}", *FIXED)
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
