"""The status page in Chromium: tests/status_page checks accessibility, layout, keyboard, refresh and print."""

import json
import re
import shutil
import socket
import subprocess
import time

import pytest

from conftest import ROOT, connect_without_waiting, listen, wait_until
from fault_injection import BLACK_HOLE_IP, SynFlood, add_black_hole

CHECK = ROOT / "tests" / "status_page"
MIN_NODE = 20  # of playwright-core

pytestmark = pytest.mark.plain_only


@pytest.fixture
def check_page(tmp_path):
    """Returns a function that checks the page of an exporter, and writes screenshots to the directory of the test."""
    for program in ("node", "chromium"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.match(r"v(\d+)", version).group(1)) < MIN_NODE:
        pytest.skip(f"playwright-core needs Node.js {MIN_NODE}, this is {version.strip()}")
    if not (CHECK / "node_modules" / "playwright-core").exists():
        pytest.skip("run `npm ci --prefix tests/status_page --ignore-scripts` first")

    def check(exporter, name):
        done = subprocess.run(
            ["node", CHECK / "check.mjs", "--url", exporter.url, "--out", tmp_path, "--name", name],
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    return check


def status(exporter):
    return json.loads(exporter.page("/api/v1/status"))


def burst(server, count):
    """Fills a queue for a moment."""
    clients = connect_without_waiting(server.getsockname()[1], count, server.getsockname()[0])
    time.sleep(0.3)
    for _ in range(count):
        server.accept()[0].close()
    for client in clients:
        client.close()


def test_healthy_host(start, check_page):
    server = listen(port=8080, backlog=128)
    servers = [server, listen(address="::1", port=8443, backlog=511)]
    exporter = start()
    exporter.page("/")
    burst(server, 40)
    wait_until("a second snapshot is healthy", lambda: status(exporter)["seconds_since_previous"])
    check_page(exporter, "healthy")
    assert len(servers) == 2


def test_full_queues_and_hostile_names(start, check_page):
    add_black_hole()
    flood = SynFlood(8443)
    stuck = listen(address=BLACK_HOLE_IP, port=8080, backlog=8)
    bursty = listen(port=9090, backlog=16)
    unix_server = socket.socket(socket.AF_UNIX)
    unix_server.bind("\0<script>alert(1)</script>" + "x" * 70)
    unix_server.listen(1)
    exporter = start()
    exporter.page("/")
    flood.inject()
    clients = connect_without_waiting(8080, 15, BLACK_HOLE_IP)
    for _ in range(2):
        client = socket.socket(socket.AF_UNIX)
        client.connect(unix_server.getsockname())
        clients.append(client)
    burst(bursty, 17)

    def severities():
        flood.inject()
        return len({finding["rule"] for finding in status(exporter)["findings"]}) >= 3

    wait_until("several rules have findings", severities, every=1)
    page = exporter.page("/")
    assert "<script>" not in page
    assert 'class="sparkline"' in page
    check_page(exporter, "findings")
    assert stuck.getsockname()
