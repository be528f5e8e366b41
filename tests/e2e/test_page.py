"""What the page says: against a golden file, promtool, and the metrics reference."""

import os
import re
import socket
import subprocess

from conftest import FIXTURES, ROOT, connect_without_waiting, families_of, listen, wait_until

GOLDEN = ROOT / "tests" / "e2e" / "golden.prom"
REFERENCE = ROOT / "docs/metrics.md"


def scene(start, *arguments):
    """The fixture tree, two listeners of which one is full, a UDP and a UNIX socket."""
    full = listen(port=8080, backlog=3)
    idle = listen("::1", port=8443, backlog=5000)
    clients = connect_without_waiting(8080, 4)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 50000)
    udp.bind(("127.0.0.1", 514))
    local = socket.socket(socket.AF_UNIX)
    local.bind("\0golden")
    local.listen(7)
    exporter = start(
        f"--path.procfs={FIXTURES}/proc", f"--path.sysfs={FIXTURES}", *arguments, listen="127.0.0.1:10045"
    )
    return exporter, (full, idle, clients, udp, local)


def normalised(page):
    """What differs from one run or build to the next, as a constant."""
    page = re.sub(r"^(process_\w+|inetdiag_scrape_collector_duration_seconds\{.*\}) .*$", r"\1 0", page, flags=re.M)
    return re.sub(r"^(inetdiag_exporter_build_info)\{.*\}", r"\1{...}", page, flags=re.M)


def test_golden(start, request):
    exporter, _sockets = scene(start)
    page = normalised(exporter.page())
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(page)
    assert page.splitlines() == GOLDEN.read_text().splitlines()


def test_promtool_finds_nothing(start):
    for arguments in (
        [],
        ["--collector.sysctl.include=net.ipv4.tcp_congestion_control"],
        ["--statsd.address=127.0.0.1:8125"],
    ):
        page = start(*arguments).page()
        result = subprocess.run(
            ["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False
        )
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def reference_rows():
    """{family: type} of the tables of the metrics reference."""
    row = re.compile(r"^\| `((?:inetdiag|process|promhttp)_\w+)(?:\{[^`]*\})?` \| (counter|gauge) \|", re.M)
    return dict(row.findall(REFERENCE.read_text()))


def test_the_metrics_reference_is_what_the_program_emits(start):
    # Which need an owner that this namespace may have none of, or other namespaces (test_netns.py).
    conditional = {"inetdiag_listener_info", "inetdiag_netns_info", "inetdiag_netns_discovered"}
    conditional |= {"inetdiag_netns_skipped", "inetdiag_netns_tcp_dump_age_seconds"}
    exporter, _sockets = scene(
        start, "--collector.sysctl.include=net.ipv4.tcp_congestion_control", "--statsd.address=127.0.0.1:8125"
    )
    emitted = {
        family: kind
        for family, kind in families_of(exporter.page()).items()
        if not family.startswith("inetdiag_nstat_")
    }
    written = reference_rows()
    assert {f: k for f, k in written.items() if f not in conditional} == {
        f: k for f, k in emitted.items() if f not in conditional
    }
    assert conditional <= set(written)


def test_every_family_has_help_and_type(start):
    page = start().page()
    kinds = families_of(page)
    helps = set(re.findall(r"^# HELP (\S+) \S", page, re.M))
    series = {re.split(r"[{ ]", line)[0] for line in page.splitlines() if not line.startswith("#")}
    assert series == set(kinds) == helps
    assert len(kinds) == page.count("# TYPE ")
    assert set(kinds.values()) == {"gauge", "counter"}


def test_a_full_listener_is_named_with_its_limit_and_drops(start):
    server = listen(backlog=2)
    port = server.getsockname()[1]
    clients = connect_without_waiting(port, 10)
    exporter = start()
    at = f'{{address="127.0.0.1",port="{port}"}}'
    wait_until("drops are told", lambda: exporter.series()[f"inetdiag_listener_drops_total{at}"] >= 7)
    series = exporter.series()
    assert series[f"inetdiag_listener_accept_queue_length{at}"] == 3
    assert series[f"inetdiag_listener_accept_queue_limit{at}"] == 2
    assert series[f"inetdiag_listener_accept_queue_fill_ratio{at}"] == 1
    assert series[f"inetdiag_listener_backlog_capped{at}"] == 0
    assert len(clients) == 10


def test_an_unprivileged_user_sees_the_same(start):
    server = listen(backlog=2)
    command = []
    if os.getuid() == 0 and os.path.exists("/usr/bin/setpriv") and may_change_user():
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    command += ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    exporter = start(command=command)
    series = exporter.series()
    successes = {s: v for s, v in series.items() if s.startswith("inetdiag_scrape_collector_success")}
    assert successes and set(successes.values()) == {1}
    at = f'{{address="127.0.0.1",port="{server.getsockname()[1]}"}}'
    assert series[f"inetdiag_listener_drops_total{at}"] == 0


def may_change_user():
    """In a user namespace only those users exist that are mapped."""
    return len(open("/proc/self/uid_map", encoding="ascii").read().split()) >= 3 and int(
        open("/proc/self/uid_map", encoding="ascii").read().split()[2]
    ) > 65534


def test_the_readme_names_every_flag(run):
    commands = re.findall(r"^  (\w+) {2,}", run("--help").stdout.partition("Subcommands:")[2], re.M)
    assert {"check", "print", "sockets"} <= set(commands)
    helps = run("--help").stdout + "".join(run(command, "--help").stdout for command in commands)
    flags = set(re.findall(r"(--[a-z][\w.-]+)", helps))
    readme = (ROOT / "README.md").read_text()
    named = set(re.findall(r"`(--[a-z][\w.-]+)`", readme))
    switches = {f for f in flags if re.fullmatch(r"--(no-)?collector\.\w+", f)}
    assert named == flags - switches | {"--collector.NAME", "--no-collector.NAME"}
    collectors = {f.rsplit(".", 1)[1] for f in switches}
    assert collectors == set(re.findall(r"^\| `(\w+)` \| (?:yes|no) \|", readme, re.M))
