"""The diagnosis of real troubles, through all of its faces: `check`, the page and the JSON."""

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
    """Runs `check`; returns (exit status, JSON document)."""

    def run_check(*arguments):
        done = subprocess.run(
            [binary, "check", "--interval=100ms", "--format=json", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, json.loads(done.stdout)

    return run_check


def rules_of(document):
    return [(finding["severity"], finding["rule"], finding["affected"]["name"]) for finding in document["findings"]]


def status(exporter):
    code, headers, body = exporter.get("/api/v1/status")
    assert code == 200
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    return json.loads(body)


def page(exporter):
    code, headers, body = exporter.get("/")
    assert code == 200
    return headers, body.decode()


def the_story():
    """A load balancer's program with a small backlog that does not accept, and a flood of SYNs that
    falls to cookies: clients believe that they are connected."""
    add_black_hole()
    flood = SynFlood(PORT)
    flood.inject()
    clients = connect_without_waiting(PORT, 15, BLACK_HOLE_IP)
    wait_until("the accept queue is full", lambda: queue_of(PORT) == (9, 8))
    flood.inject()
    return flood, clients


def queue_of(port):
    """Recv-Q and Send-Q of a listener, as ss tells them."""
    fields = subprocess.run(
        ["ss", "-ltnH", f"sport = {port}"], capture_output=True, text=True, check=True
    ).stdout.split()
    return int(fields[1]), int(fields[2])


def test_a_quiet_host_has_no_findings(start, run, check):
    _server = listen(port=PORT, backlog=128)
    code, document = check()
    assert (code, document["findings"], document["severity"]) == (0, [], None)
    assert document["closest_limit"]["ratio"] < 0.5
    text = run("check", "--interval=0s").stdout
    assert "Nothing found. The closest limit: " in text
    exporter = start()
    assert status(exporter)["findings"] == []
    assert "Nothing found. The closest limit: " in page(exporter)[1]


def test_the_story_gives_what_an_expert_would_write(start, run, check):
    story = the_story()
    exporter = start()
    expected = [("critical", "cookies_and_full_accept_queue", f"{BLACK_HOLE_IP}:{PORT}")]

    code, document = check()
    assert code == 2
    assert rules_of(document) == expected
    finding = document["findings"][0]
    waiting, backlog = queue_of(PORT)
    assert (finding["evidence"]["waiting"], finding["evidence"]["backlog"]) == (waiting, backlog)
    assert finding["limit"] == "the program's own backlog of 8; net.core.somaxconn is 4096"

    done = run("check", "--interval=100ms")
    assert done.returncode == 2
    assert f"CRITICAL  {BLACK_HOLE_IP}:{PORT}\n" in done.stdout
    assert "believe that they are connected" in " ".join(done.stdout.split())
    assert "\x1b" not in done.stdout

    assert rules_of(status(exporter)) == expected
    headers, html = page(exporter)
    assert "style-src 'nonce-" in headers["Content-Security-Policy"]
    assert len(re.findall(r'<li class="critical">', html)) == 1
    assert "believe that they are connected" in html
    del story


def test_growth_shows_from_the_second_look_on(start):
    """Drops that go on are told as dropping now, by what grew since the look before."""
    server = listen("0.0.0.0", PORT, 4)
    clients = connect_without_waiting(PORT, 5)
    wait_until("the accept queue is full", lambda: queue_of(PORT)[0] == 5)
    exporter = start()
    first = status(exporter)
    assert first["seconds_since_previous"] is None
    clients += connect_without_waiting(PORT, 10)

    def second():
        document = status(exporter)
        return (document["findings"][0]["evidence"]["new_drops"] or 0) >= 10 and document

    document = wait_until("the drops since the first look show", second)
    assert document["seconds_since_previous"] > 0.5
    assert document["listeners"][0]["new_drops"] >= 10
    server.close()


def test_the_limit_that_binds_is_named(check):
    """The program asks for more than somaxconn; somaxconn is raised, and changes nothing."""
    set_sysctl("net.core.somaxconn", 16)
    _server = listen(port=PORT, backlog=1000)
    _clients = connect_without_waiting(PORT, 30)
    wait_until("the accept queue is full", lambda: queue_of(PORT) == (17, 16))
    code, document = check()
    assert code == 2
    assert document["findings"][0]["limit"].startswith("net.core.somaxconn, 16")
    assert document["listeners"][0]["limit_set_by"] == "somaxconn"
    set_sysctl("net.core.somaxconn", 128)
    assert check()[1]["listeners"][0]["limit_set_by"] == "program"
    set_sysctl("net.core.somaxconn", 8)
    assert check()[1]["listeners"][0]["limit_set_by"] == "former_somaxconn"


def test_cookies_for_every_syn_are_explained_not_alarmed(check):
    add_black_hole()
    set_sysctl("net.ipv4.tcp_syncookies", 2)
    flood = SynFlood(PORT)
    flood.inject()
    code, document = check()
    assert (code, rules_of(document)) == (0, [("notice", "syn_cookies_always", "this host")])


def test_syns_dropped_without_cookies(start):
    """The drops of a full SYN queue are not laid to the accept queue, which is empty."""
    add_black_hole()
    set_sysctl("net.ipv4.tcp_syncookies", 0)
    flood = SynFlood(PORT)
    exporter = start()
    status(exporter)

    def dropping():
        flood.inject()
        document = status(exporter)
        growth = [finding["evidence"].get("new_drops") for finding in document["findings"]]
        return growth and growth[0] and document

    document = wait_until("SYNs are dropped between two looks", dropping)
    assert rules_of(document) == [("critical", "syn_queue_full", f"{BLACK_HOLE_IP}:{PORT}")]


def test_check_says_what_it_cannot_see(run, tmp_path):
    done = run("check", "--interval=0s", "--collector.disable-defaults", "--collector.nstat", f"--path.procfs={tmp_path}")
    assert done.returncode == 3
    assert "The listeners were not looked at" in done.stdout
    assert "collector nstat" in done.stdout
    assert "no counters in net/snmp" in done.stderr


def test_check_ends_cleanly_where_nobody_reads(binary):
    """A reader that is gone is a failure to tell, not a crash."""
    reader, writer = socket.socketpair()
    reader.close()
    done = subprocess.run(
        [binary, "check", "--interval=0s"], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    writer.close()
    assert done.returncode == 3
    assert "standard output" in done.stderr


@pytest.mark.plain_only
def test_a_browser_shows_the_page_as_its_policy_allows(start):
    if shutil.which("chromium") is None:
        pytest.skip("no chromium here")
    hostile = "\0<script>alert(1)</script>"
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(hostile)
    unix.listen(1)
    clients = [socket.socket(socket.AF_UNIX) for _ in range(2)]
    for client in clients:
        client.connect(hostile)
    server = listen("0.0.0.0", PORT, 1)
    clients += connect_without_waiting(PORT, 5)
    exporter = start()
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom",
         "--enable-logging=stderr", "--virtual-time-budget=1000", f"{exporter.url}?refresh=0"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "The accept queue is full" in done.stdout, done.stderr
    assert "<script>" not in done.stdout
    assert "&lt;script&gt;alert(1)" in done.stdout
    assert "Content Security Policy" not in done.stderr
    for thing in (server, unix, *clients):
        thing.close()


def keys_of(value):
    """Every name in a JSON document, but for those that are figures or labels of a series."""
    if isinstance(value, list):
        return set().union(*map(keys_of, value))
    if not isinstance(value, dict):
        return set()
    below = (keys_of(inner) for name, inner in value.items() if name not in ("evidence", "labels"))
    return set(value).union(*below)


def test_the_schema_is_documented(check):
    story = the_story()
    text = (ROOT / "docs/diagnosis.md").read_text()
    _, document = check()
    assert document["schema_version"] == 1
    missing = {key for key in keys_of(document) if f"`{key}`" not in text}
    assert not missing, f"docs/diagnosis.md says nothing of {missing}"
    del story


def test_every_rule_is_documented():
    rules = set()
    for source in (ROOT / "exporter" / "diagnosis").glob("*.cpp"):
        for line in re.findall(r"\brule = ([^;,]*)", source.read_text()):
            rules.update(re.findall(r'"(\w+)"', line))
    assert len(rules) > 20
    text = (ROOT / "docs/diagnosis.md").read_text()
    assert not {rule for rule in rules if f"`{rule}`" not in text}
