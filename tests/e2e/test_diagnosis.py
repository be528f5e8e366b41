"""Diagnosis of real kernel conditions: `check`, the status page and /api/v1/status."""

import json
import re
import shutil
import socket
import subprocess

import pytest
from conftest import ROOT, connect_without_waiting, listen, wait_until
from fault_injection import BLACK_HOLE_IP, SynFlood, add_black_hole, set_sysctl

PORT = 8080


@pytest.fixture
def check(binary):
    """Returns a function that runs `check` and returns (exit status, JSON document)."""

    def run_check(*arguments):
        result = subprocess.run(
            [binary, "check", "--interval=100ms", "--format=json", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return result.returncode, json.loads(result.stdout)

    return run_check


def finding_keys(document):
    return [(finding["severity"], finding["rule"], finding["affected"]["name"]) for finding in document["findings"]]


def get_status(exporter):
    code, headers, body = exporter.get("/api/v1/status")
    assert code == 200
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    return json.loads(body)


def get_page(exporter):
    code, headers, body = exporter.get("/")
    assert code == 200
    return headers, body.decode()


def fill_queues():
    """Fills the accept queue of a program that does not accept, and its SYN queue until the kernel
    sends cookies: clients believe that they are connected."""
    add_black_hole()
    flood = SynFlood(PORT)
    flood.inject()
    clients = connect_without_waiting(PORT, 15, BLACK_HOLE_IP)
    wait_until("the accept queue is full", lambda: queue_of(PORT) == (9, 8))
    flood.inject()
    return flood, clients


def queue_of(port):
    """Returns Recv-Q and Send-Q of a listener from ss."""
    fields = subprocess.run(
        ["ss", "-ltnH", f"sport = {port}"], capture_output=True, text=True, check=True
    ).stdout.split()
    return int(fields[1]), int(fields[2])


def test_healthy_host_has_no_findings(start, run, check):
    _server = listen(port=PORT, backlog=128)
    code, document = check()
    assert (code, document["findings"], document["severity"]) == (0, [], None)
    assert document["closest_limit"]["ratio"] < 0.5
    text = run("check", "--interval=0s").stdout
    assert text.splitlines()[1] == "All queues have room."
    exporter = start()
    assert get_status(exporter)["findings"] == []
    assert '<p class="verdict fine" role="status"><bdi>All queues have room.</bdi></p>' in get_page(exporter)[1]


def test_full_accept_queue_beside_a_full_syn_queue(start, run, check):
    """A full accept queue drops SYNs before the kernel sends cookies."""
    sockets = fill_queues()
    exporter = start()
    expected = [("critical", "accept_queue_full", f"{BLACK_HOLE_IP}:{PORT}")]

    code, document = check()
    assert code == 2
    assert finding_keys(document)[:1] == expected
    finding = document["findings"][0]
    waiting, backlog = queue_of(PORT)
    assert (finding["evidence"]["waiting"], finding["evidence"]["backlog"]) == (waiting, backlog)
    assert finding["limit"].startswith("backlog 8, set by the program")

    result = run("check", "--interval=100ms")
    assert result.returncode == 2
    lines = result.stdout.splitlines()
    # Clients send SYNs again, which may be between the two snapshots.
    assert re.match(rf"{BLACK_HOLE_IP}:{PORT} (has a full accept queue|is dropping clients)", lines[1]), lines
    assert f"CRITICAL  {BLACK_HOLE_IP}:{PORT}" in lines
    assert "9 of 9 places (backlog 8)" in " ".join(result.stdout.split())
    assert "\x1b" not in result.stdout

    # The first snapshot of a short queue does not show whether it is full for a moment only.
    wait_until("a second snapshot has the finding", lambda: finding_keys(get_status(exporter))[:1] == expected)
    headers, html = get_page(exporter)
    assert "; script-src 'nonce-" in headers["Content-Security-Policy"]
    assert len(re.findall(r'<li class="critical">', html)) == 1
    # The sandbox hides the processes.
    assert re.search(rf"<code>(ss -ltnp sport = :{PORT}|cat /proc/\d+/stack)</code>", html)
    del sockets


def test_peers_are_shown_on_request_at_the_terminal_only(start, run, check):
    server = listen("0.0.0.0", PORT, 8)
    clients = [
        socket.create_connection(("127.0.0.1", PORT), source_address=(f"127.0.0.{host}", 0))
        for host in (2, 2, 2, 2, 2, 3, 3, 3, 4)
    ]
    wait_until("the accept queue is full", lambda: queue_of(PORT) == (9, 8))
    _, document = check("--peers")
    (port,) = document["peers"]
    assert (port["netns"], port["port"], port["counted"], port["sockets"]) == (None, str(PORT), "queues", 9)
    assert [(each["peer"], each["at_least"]) for each in port["peers"]] == [("127.0.0.2", 5), ("127.0.0.3", 3), ("127.0.0.4", 1)]
    documented = (ROOT / "docs/diagnosis.md").read_text()
    assert {key for key in keys_of(document) if f"`{key}`" not in documented} == set()

    text = run("check", "--interval=0s", "--peers").stdout
    assert f"  port {PORT}: 9 connections in the SYN and accept queues, 3 peers\n" in text
    assert re.search(r"^ +5  127\.0\.0\.2$", text, re.M)

    command = f"inetdiag_exporter sockets --top=peer --port={PORT} --waiting"
    _, without = check()
    assert without["findings"][0]["action"].endswith(f"`{command}` shows which clients are in it.")
    assert "peers" not in without
    assert "127.0.0.2" not in json.dumps(without)
    shown = run(*command.split()[1:]).stdout
    assert "127.0.0.2" in shown.splitlines()[1]
    exporter = start()
    for path in ("/", "/metrics", "/api/v1/status"):
        assert "127.0.0.2" not in exporter.get(path)[2].decode()
    for sock in (server, *clients):
        sock.close()


def test_second_snapshot_shows_growth(start):
    """Ongoing drops appear as growth since the previous snapshot."""
    server = listen("0.0.0.0", PORT, 4)
    clients = connect_without_waiting(PORT, 5)
    wait_until("the accept queue is full", lambda: queue_of(PORT)[0] == 5)
    exporter = start()
    first = get_status(exporter)
    assert first["seconds_since_previous"] is None
    clients += connect_without_waiting(PORT, 10)

    def status_with_growth():
        document = get_status(exporter)
        return (document["findings"][0]["evidence"]["new_listen_drops"] or 0) >= 10 and document

    document = wait_until("the drops since the first snapshot appear", status_with_growth)
    assert document["seconds_since_previous"] > 0.5
    assert document["listeners"][0]["new_listen_drops"] >= 10
    server.close()


def test_finding_names_the_limit(check):
    """The program requests more than somaxconn. A later change of somaxconn has no effect on it."""
    set_sysctl("net.core.somaxconn", 16)
    _server = listen(port=PORT, backlog=1000)
    _clients = connect_without_waiting(PORT, 30)
    wait_until("the accept queue is full", lambda: queue_of(PORT) == (17, 16))
    code, document = check()
    assert code == 2
    assert document["findings"][0]["limit"].startswith("net.core.somaxconn = 16")
    assert document["listeners"][0]["limit_set_by"] == "somaxconn"
    set_sysctl("net.core.somaxconn", 128)
    assert check()[1]["listeners"][0]["limit_set_by"] == "program"
    set_sysctl("net.core.somaxconn", 8)
    assert check()[1]["listeners"][0]["limit_set_by"] == "former_somaxconn"


def test_syns_dropped_without_cookies(start):
    """Drops of a full SYN queue are not attributed to the accept queue, which is empty."""
    add_black_hole()
    set_sysctl("net.ipv4.tcp_syncookies", 0)
    flood = SynFlood(PORT)
    exporter = start()
    get_status(exporter)

    def status_with_drops():
        flood.inject()
        document = get_status(exporter)
        growth = [finding["evidence"].get("new_listen_drops") for finding in document["findings"]]
        return growth and growth[0] and document

    document = wait_until("SYNs are dropped between two snapshots", status_with_drops)
    assert finding_keys(document) == [("critical", "syn_queue_full", f"{BLACK_HOLE_IP}:{PORT}")]


def test_check_reports_missing_data(run, tmp_path):
    result = run("check", "--interval=0s", "--collector.disable-defaults", "--collector.nstat", f"--path.procfs={tmp_path}")
    assert result.returncode == 3
    assert "No data on listeners" in result.stdout
    assert "collector nstat" in result.stdout
    assert "no counters in net/snmp" in result.stderr


def test_check_reports_a_closed_standard_output(binary):
    """EPIPE is an error message and exit status 3, not a crash."""
    reader, writer = socket.socketpair()
    reader.close()
    result = subprocess.run(
        [binary, "check", "--interval=0s"], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    writer.close()
    assert result.returncode == 3
    assert "standard output" in result.stderr


@pytest.mark.plain_only
def test_browser_renders_the_page_within_its_content_security_policy(start):
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed")
    hostile = "\0<script>alert(1)</script>"
    unix_server = socket.socket(socket.AF_UNIX)
    unix_server.bind(hostile)
    unix_server.listen(1)
    clients = [socket.socket(socket.AF_UNIX) for _ in range(2)]
    for client in clients:
        client.connect(hostile)
    server = listen("0.0.0.0", PORT, 1)
    clients += connect_without_waiting(PORT, 5)
    exporter = start()
    browser = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom",
         "--enable-logging=stderr", "--virtual-time-budget=1000", f"{exporter.url}?refresh=0"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "The accept queue is full" in browser.stdout, browser.stderr
    assert "<script>" not in browser.stdout
    assert "&lt;script&gt;alert(1)" in browser.stdout
    assert "Content Security Policy" not in browser.stderr
    for sock in (server, unix_server, *clients):
        sock.close()


def keys_of(value):
    """Returns the names in a JSON document, except those within `evidence` and `labels`."""
    if isinstance(value, list):
        return set().union(*map(keys_of, value))
    if not isinstance(value, dict):
        return set()
    nested = (keys_of(inner) for name, inner in value.items() if name not in ("evidence", "labels"))
    return set(value).union(*nested)


def test_schema_is_documented(check):
    sockets = fill_queues()
    text = (ROOT / "docs/diagnosis.md").read_text()
    _, document = check()
    assert document["schema_version"] == 1
    missing = {key for key in keys_of(document) if f"`{key}`" not in text}
    assert not missing, f"docs/diagnosis.md does not document {missing}"
    del sockets


def test_every_rule_is_documented():
    rules = set()
    for source in (ROOT / "exporter" / "diagnosis").glob("*.cpp"):
        for line in re.findall(r"\brule = ([^;,]*)", source.read_text()):
            rules.update(re.findall(r'"(\w+)"', line))
    assert len(rules) > 20
    text = (ROOT / "docs/diagnosis.md").read_text()
    missing = {rule for rule in rules if f"`{rule}`" not in text}
    assert not missing, f"docs/diagnosis.md does not document {missing}"
