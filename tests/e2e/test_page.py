"""The content of /metrics: compared with golden files and promtool, and the documentation generated from them."""

import os
import re
import shutil
import socket
import subprocess

import pytest

import exposition
from conftest import FIXTURES, ROOT, connect_without_waiting, families_of, listen, may_change_user, wait_until
from fault_injection import ETH_P_IP, change_device, netlink_monitor, packet_receiver, raw_receiver, send_icmp

GOLDEN = ROOT / "tests" / "e2e" / "golden.prom"
# Families that only other set-ups emit: type, help and all labels.
OTHER_SETUPS = ROOT / "tests" / "e2e" / "golden_other_setups.prom"


def start_with_sockets(start, *arguments):
    """Starts an exporter on the recorded /proc, with a full and an empty listener, a UDP and a UNIX socket.

    Two of the sockets are bound to a device."""
    full = listen(port=8080, backlog=3)
    empty = listen("::1", port=8443, backlog=5000)
    empty.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    clients = connect_without_waiting(8080, 4)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 50000)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
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
    page = re.sub(r"^(process_\w+|inetdiag_listener_accept_queue_oldest_seconds\{.*\}|inetdiag_sandbox_active\{.*\}|inetdiag_scrape_collector_duration_seconds\{.*\}) .*$", r"\1 0", page, flags=re.M)
    return re.sub(r'(?<=[{,])(version|revision|compiler)="[^"]*"', r'\1="..."', page)


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


def families_of_other_setups(page, request):
    """Compares the families of a page with the golden pages; returns the names of those that golden.prom lacks."""
    families = {name: f for name, f in exposition.parse(page).items() if not name.startswith("inetdiag_nstat_")}
    usual, other = (exposition.parse(path.read_text()) for path in (GOLDEN, OTHER_SETUPS))
    if request.config.getoption("--update-golden"):
        for name in families.keys() - usual.keys():
            family = families[name]
            # Which labels have values depends on the machine.
            family.labels = list(dict.fromkeys(other[name].labels + family.labels if name in other else family.labels))
            other[name] = family
        OTHER_SETUPS.write_text(exposition.render(other))
    for name, family in families.items():
        assert name in usual | other, f"{name} is in no golden page; see --update-golden"
        golden = (usual | other)[name]
        assert (name, family.type, family.help) == (name, golden.type, golden.help)
        assert set(family.labels) <= {*golden.labels, "netns"}, name
    return families.keys() - usual.keys()


# They need an owner by cgroup, or other network namespaces (test_netns.py).
CONDITIONAL = {"inetdiag_listener_info", "inetdiag_netns_info", "inetdiag_netns_discovered"}
CONDITIONAL |= {"inetdiag_netns_directory_exists", "inetdiag_netns_skipped"}
CONDITIONAL |= {"inetdiag_netns_tcp_dump_age_seconds", "inetdiag_udp_info"}
# They need kernel modules, or an old kernel.
CONDITIONAL |= {
    name for name in exposition.parse(OTHER_SETUPS.read_text()) if re.match("inetdiag_(qdisc|packet|route_cache|(netlink|raw)_socket_info)", name)
}
# They need the processes and cgroups of the host.
CONDITIONAL |= {
    name for name in exposition.parse(OTHER_SETUPS.read_text()) if re.match("inetdiag_listener_(owner|process)_", name)
}


def sockets_that_share_an_endpoint(directory):
    """Returns TCP, UDP and UNIX sockets, two of each kind, and a UNIX datagram socket that does not read."""
    sockets = []
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        for _ in range(2):
            shared = socket.socket(socket.AF_INET, kind)
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            shared.bind(("127.0.0.1", 5300))
            sockets.append(shared)
            if kind == socket.SOCK_STREAM:
                shared.listen(4)
    for _ in range(2):
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(str(directory / "shared"))
        unix.listen(4)
        (directory / "shared").unlink()
        sockets.append(unix)
    receiver, sender = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
    receiver.bind(str(directory / "datagrams"))
    sender.connect(str(directory / "datagrams"))
    sender.send(b"x")
    return [*sockets, receiver, sender]


def test_families_of_other_setups(start, request, tmp_path):
    _shared = sockets_that_share_an_endpoint(tmp_path)
    _waiting = connect_without_waiting(5300, 2)
    exporter, _sockets = start_with_sockets(
        start,
        "--collector.sysctl.include=net.ipv4.tcp_congestion_control",
        "--statsd.address=127.0.0.1:8125",
        "--collector.ports.destinations=1",
        "--collector.tcp.info=on",
    )
    conditional = ("inetdiag_listener_stalled_socket_info{", "inetdiag_listener_accept_queue_peak_fill_ratio{")
    page = wait_until(
        "a scrape finds the connections of an earlier one still waiting, and a sample of them",
        lambda: (p := exporter.page()) and all(series in p for series in conditional) and p,
    )
    emitted = families_of_other_setups(page, request)
    assert emitted - CONDITIONAL == exposition.parse(OTHER_SETUPS.read_text()).keys() - CONDITIONAL


def test_families_of_an_old_kernel(start, request, tmp_path):
    shutil.copytree(FIXTURES / "proc", tmp_path / "proc")
    for name, text in (
        ("sys/kernel/osrelease", "5.10.0"),
        ("sys/net/ipv6/route/max_size", "4096"),
        ("net/rt6_stats", "0009 0006 0012 0007 0000 0006 0000"),
    ):
        (tmp_path / "proc" / name).write_text(text + "\n")
    exporter = start(f"--path.procfs={tmp_path}/proc")
    assert families_of_other_setups(exporter.page(), request) >= {"inetdiag_route_cache_entries"}
    assert exporter.series()["inetdiag_route_cache_limit"] == 4096


def test_families_of_devices_and_packet_sockets(start, request):
    for number, kind in enumerate(("tbf rate 1mbit burst 2000 limit 3000", "pfifo limit 7")):
        command = f"ip link add d{number} type veth && tc qdisc add dev d{number} root {kind}"
        if subprocess.run(command, shell=True, check=False).returncode:
            pytest.skip("this kernel has no veth, sch_tbf or sch_fifo")
    exporter = start("--collector.qdisc.max=1")
    emitted = families_of_other_setups(exporter.page(), request)
    assert emitted >= {"inetdiag_qdisc_limit_bytes", "inetdiag_qdiscs_omitted"}
    exporter = start("--no-sandbox")  # which hides the descriptors of other processes
    assert families_of_other_setups(exporter.page(), request) >= {"inetdiag_qdisc_limit_packets"}
    _unread = (netlink_monitor(), raw_receiver(), packet_receiver(ETH_P_IP))
    for _ in range(2):  # the second growth leads to a search of the processes
        change_device(20)
        send_icmp(30)
        page = exporter.page()
    emitted = families_of_other_setups(page, request)
    assert emitted >= {"inetdiag_netlink_socket_info", "inetdiag_raw_socket_info"}
    if "inetdiag_packet_sockets" not in emitted:
        pytest.skip("this kernel has no packet_diag")
    assert emitted >= {"inetdiag_packet_drops_total", "inetdiag_packet_socket_info"}


def test_conditional_families_have_the_help_of_their_sources():
    """Also on a machine where nothing emits them."""
    sources = [path.read_text() for path in sorted((ROOT / "collectors").glob("*.cpp"))]
    texts = "".join(text for source in sources for text in re.findall(r'"((?:[^"\\]|\\.)*)"', source))
    golden = exposition.parse(OTHER_SETUPS.read_text())
    assert [name for name in sorted(CONDITIONAL) if golden[name].help not in texts] == []


def test_the_documentation_has_the_metrics_and_flags_of_the_program(binary):
    result = subprocess.run([ROOT / "docs/generate", "--check", binary], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_every_family_has_help_and_type(start):
    page = start().page()
    kinds = families_of(page)
    helps = set(re.findall(r"^# HELP (\S+) \S", page, re.M))
    series = {re.split(r"[{ ]", line)[0] for line in page.splitlines() if not line.startswith("#")}
    series = {name if name in kinds else re.sub("_(bucket|sum|count)$", "", name) for name in series}
    assert series == set(kinds) == helps
    assert len(kinds) == page.count("# TYPE ")
    assert set(kinds.values()) == {"gauge", "counter"}


def test_full_listener_has_its_limit_and_drops(start):
    server = listen(backlog=2)
    port = server.getsockname()[1]
    clients = connect_without_waiting(port, 10)
    exporter = start()
    labels = f'{{address="127.0.0.1",port="{port}"}}'
    wait_until("the drops are counted", lambda: exporter.series()[f"inetdiag_listener_socket_drops_total{labels}"] >= 7)
    series = exporter.series()
    assert series[f"inetdiag_listener_accept_queue_length{labels}"] == 3
    assert series[f"inetdiag_listener_accept_queue_limit{labels}"] == 2
    assert series[f"inetdiag_listener_accept_queue_fill_ratio{labels}"] == 1
    assert series[f"inetdiag_listener_backlog_capped{labels}"] == 0
    assert len(clients) == 10


def test_unprivileged_user_gets_all_collectors(start):
    server = listen(backlog=2)
    command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    if os.getuid() == 0 and os.path.exists("/usr/bin/setpriv") and may_change_user():
        command += ["--reuid=65534", "--regid=65534", "--clear-groups"]
    exporter = start(command=command)
    series = exporter.series()
    successes = {s: v for s, v in series.items() if s.startswith("inetdiag_scrape_collector_success")}
    assert successes and set(successes.values()) == {1}
    labels = f'{{address="127.0.0.1",port="{server.getsockname()[1]}"}}'
    assert series[f"inetdiag_listener_socket_drops_total{labels}"] == 0


