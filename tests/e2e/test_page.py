"""The content of /metrics: compared with a golden file, promtool and the metrics reference."""

import os
import re
import socket
import subprocess

from conftest import FIXTURES, ROOT, connect_without_waiting, families_of, listen, may_change_user, wait_until

GOLDEN = ROOT / "tests" / "e2e" / "golden.prom"
REFERENCE = ROOT / "docs/metrics.md"


def start_with_sockets(start, *arguments):
    """Starts an exporter on the recorded /proc, with a full and an empty listener, a UDP and a UNIX socket."""
    full = listen(port=8080, backlog=3)
    empty = listen("::1", port=8443, backlog=5000)
    clients = connect_without_waiting(8080, 4)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 50000)
    udp.bind(("127.0.0.1", 514))
    unix = socket.socket(socket.AF_UNIX)
    unix.bind("\0golden")
    unix.listen(7)
    exporter = start(
        f"--path.procfs={FIXTURES}/proc", f"--path.sysfs={FIXTURES}", *arguments, listen="127.0.0.1:10045"
    )
    return exporter, (full, empty, clients, udp, unix)


def normalised(page):
    """Replaces what differs between runs and builds by constants."""
    page = re.sub(r"^(process_\w+|inetdiag_scrape_collector_duration_seconds\{.*\}) .*$", r"\1 0", page, flags=re.M)
    return re.sub(r"^(inetdiag_exporter_build_info)\{.*\}", r"\1{...}", page, flags=re.M)


def test_golden(start, request):
    exporter, _sockets = start_with_sockets(start)
    page = normalised(exporter.page())
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(page)
    assert page.splitlines() == GOLDEN.read_text().splitlines()


def test_promtool_accepts_the_page(start):
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
    """Returns {family: type} from the tables of the metrics reference."""
    row = re.compile(r"^\| `((?:inetdiag|process)_\w+)(?:\{[^`]*\})?` \| (counter|gauge) \|", re.M)
    return dict(row.findall(REFERENCE.read_text()))


def test_metrics_reference_lists_the_exported_families(start):
    # These need a listener with an owner, or other namespaces (test_netns.py).
    conditional = {"inetdiag_listener_info", "inetdiag_netns_info", "inetdiag_netns_discovered"}
    conditional |= {"inetdiag_netns_skipped", "inetdiag_netns_tcp_dump_age_seconds"}
    exporter, _sockets = start_with_sockets(
        start, "--collector.sysctl.include=net.ipv4.tcp_congestion_control", "--statsd.address=127.0.0.1:8125"
    )
    exported = {
        family: kind
        for family, kind in families_of(exporter.page()).items()
        if not family.startswith("inetdiag_nstat_")
    }
    documented = reference_rows()
    assert {f: k for f, k in documented.items() if f not in conditional} == {
        f: k for f, k in exported.items() if f not in conditional
    }
    assert conditional <= set(documented)


def test_every_family_has_help_and_type(start):
    page = start().page()
    kinds = families_of(page)
    helps = set(re.findall(r"^# HELP (\S+) \S", page, re.M))
    series = {re.split(r"[{ ]", line)[0] for line in page.splitlines() if not line.startswith("#")}
    assert series == set(kinds) == helps
    assert len(kinds) == page.count("# TYPE ")
    assert set(kinds.values()) == {"gauge", "counter"}


def test_full_listener_has_its_limit_and_drops(start):
    server = listen(backlog=2)
    port = server.getsockname()[1]
    clients = connect_without_waiting(port, 10)
    exporter = start()
    labels = f'{{address="127.0.0.1",port="{port}"}}'
    wait_until("the drops are counted", lambda: exporter.series()[f"inetdiag_listener_drops_total{labels}"] >= 7)
    series = exporter.series()
    assert series[f"inetdiag_listener_accept_queue_length{labels}"] == 3
    assert series[f"inetdiag_listener_accept_queue_limit{labels}"] == 2
    assert series[f"inetdiag_listener_accept_queue_fill_ratio{labels}"] == 1
    assert series[f"inetdiag_listener_backlog_capped{labels}"] == 0
    assert len(clients) == 10


def test_unprivileged_user_gets_all_collectors(start):
    server = listen(backlog=2)
    command = []
    if os.getuid() == 0 and os.path.exists("/usr/bin/setpriv") and may_change_user():
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    command += ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    exporter = start(command=command)
    series = exporter.series()
    successes = {s: v for s, v in series.items() if s.startswith("inetdiag_scrape_collector_success")}
    assert successes and set(successes.values()) == {1}
    labels = f'{{address="127.0.0.1",port="{server.getsockname()[1]}"}}'
    assert series[f"inetdiag_listener_drops_total{labels}"] == 0


def test_readme_lists_every_flag_and_collector(run):
    commands = re.findall(r"^  (\w+) {2,}", run("--help").stdout.partition("Subcommands:")[2], re.M)
    assert {"check", "print", "sockets"} <= set(commands)
    helps = run("--help").stdout + "".join(run(command, "--help").stdout for command in commands)
    flags = set(re.findall(r"(--[a-z][\w.-]+)", helps))
    readme = (ROOT / "README.md").read_text()
    documented = set(re.findall(r"`(--[a-z][\w.-]+)`", readme))
    switches = {f for f in flags if re.fullmatch(r"--(no-)?collector\.\w+", f)}
    assert documented == flags - switches | {"--collector.NAME", "--no-collector.NAME"}
    collectors = {f.rsplit(".", 1)[1] for f in switches}
    assert collectors == set(re.findall(r"^\| `(\w+)` \| (?:yes|no) \|", readme, re.M))
