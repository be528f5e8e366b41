"""OpenMetrics: negotiation, the page as the reference parser reads it, and created timestamps."""

import functools
import gzip
import re
import signal
import socket
import subprocess
import time

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

import newer_prometheus
from conftest import connect_without_waiting, families_of, listen, wait_until
from netns import NamespaceProcess, unshare_mounts
from prometheus_server import Prometheus
from test_page import GOLDEN, OTHER_SETUPS

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
ACCEPT_OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"}
PORT = 8080


@pytest.fixture
def new_namespace():
    """Creates network namespaces with a process in each, and removes them at the end of the test."""
    processes = []

    def create():
        processes.append(NamespaceProcess())
        return processes[-1]

    yield create
    for process in processes:
        if process.process.poll() is None:
            process.stop()


def samples_of(families):
    """Returns {(name, labels): value}. Bounds of buckets are numbers."""
    found = {}
    for family in families:
        for sample in family.samples:
            labels = {name: float(value) if name == "le" else value for name, value in sample.labels.items()}
            series = (sample.name, frozenset(labels.items()))
            assert series not in found
            found[series] = sample.value
    return found


def openmetrics_page(exporter, path="/metrics"):
    status, headers, body = exporter.get(path, ACCEPT_OPENMETRICS)
    assert (status, headers["Content-Type"]) == (200, OPENMETRICS)
    return body.decode()


def openmetrics_samples(exporter):
    return samples_of(parse_openmetrics(openmetrics_page(exporter)))


def created(samples, family, **labels):
    """Returns the created timestamp of a counter, or None."""
    return samples.get((f"{family}_created", frozenset(labels.items())))


def created_ports(samples):
    """Returns the ports of the listeners that have a created timestamp."""
    return {dict(labels)["port"] for name, labels in samples if re.fullmatch("inetdiag_listener_.*_created", name)}


def overflow(port, connect, drops):
    """Fills the accept queue of a listener until the kernel has dropped a connection."""
    connect(port, 12)
    wait_until("the kernel drops connections", drops)


def own_listen_drops():
    output = subprocess.run(["nstat", "-asz", "TcpExtListenDrops"], capture_output=True, text=True, check=True).stdout
    return int(output.splitlines()[1].split()[1])


def test_negotiation(start):
    exporter = start()
    for accept, content_type in {
        None: TEXT,
        "*/*": TEXT,
        "text/plain": TEXT,
        "application/openmetrics-text;version=2.0.0": TEXT,
        "application/openmetrics-text;q=0.1,text/plain;q=0.2": TEXT,
        "application/openmetrics-text;q=x": TEXT,
        "application/openmetrics-text": OPENMETRICS,
        ACCEPT_OPENMETRICS["Accept"]: OPENMETRICS,
    }.items():
        headers = {"Accept": accept} if accept else {}
        for method in ("GET", "HEAD"):
            status, answer, body = exporter.get(headers=headers, method=method)
            assert (status, answer["Content-Type"]) == (200, content_type), accept
            assert answer["Vary"] == "Accept, Accept-Encoding"
            assert body.endswith(b"# EOF\n") == (content_type == OPENMETRICS and method == "GET")


def test_gzip(start):
    status, headers, body = start().get(headers={**ACCEPT_OPENMETRICS, "Accept-Encoding": "gzip"})
    assert (status, headers["Content-Type"], headers["Content-Encoding"]) == (200, OPENMETRICS, "gzip")
    assert gzip.decompress(body).endswith(b"# EOF\n")


def test_every_counter_ends_with_total():
    for golden in (GOLDEN, OTHER_SETUPS):
        counters = {name for name, type_ in families_of(golden.read_text()).items() if type_ == "counter"}
        assert counters
        assert not [name for name in counters if not name.endswith("_total")]


def test_reference_parser_reads_the_values_of_the_text_format(start, new_namespace, tmp_path):
    listener = listen(backlog=2)
    clients = connect_without_waiting(listener.getsockname()[1], 6)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 5353))
    path = socket.socket(socket.AF_UNIX)
    path.bind(str(tmp_path / 'quoted "socket"'))
    path.listen(1)
    namespace = new_namespace()
    namespace.send_command("listen", PORT, 4)
    exporter = start("--netns.discover=processes", f"--netns.include=^{namespace.inode}$", "--collector.tcp.info=on")

    def text_samples():
        return samples_of(parse_text(exporter.page()))

    def samples_of_a_stable_page():
        before, openmetrics, after = text_samples(), openmetrics_samples(exporter), text_samples()
        openmetrics = {series: value for series, value in openmetrics.items() if not series[0].endswith("_created")}
        return (before, openmetrics, after) if set(before) == set(openmetrics) == set(after) else None

    # The series of waiting connections depend on a CPU budget.
    before, openmetrics, after = wait_until("the pages have the same series", samples_of_a_stable_page)
    constant = {series for series, value in before.items() if after[series] == value}
    assert len(constant) > len(before) / 2
    assert {series: openmetrics[series] for series in constant} == {series: before[series] for series in constant}
    assert any(name.endswith("_bucket") for name, _ in constant)
    assert len(clients) == 6


def test_units_are_suffixes_of_their_family(start):
    page = openmetrics_page(start())
    units = re.findall(r"^# UNIT (\S+) (\S+)$", page, re.MULTILINE)
    assert {unit for _, unit in units} == {"seconds", "bytes", "ratio"}
    assert all(family.endswith(f"_{unit}") for family, unit in units)


def test_a_listener_is_created_at_the_collection_before_it_appeared(start):
    first = listen(port=PORT)
    exporter = start()
    assert not created_ports(openmetrics_samples(exporter))
    second = listen(port=PORT + 1)
    samples = openmetrics_samples(exporter)
    labels = {"address": "127.0.0.1", "port": str(PORT + 1)}
    time_created = created(samples, "inetdiag_listener_socket_drops", **labels)
    assert time.time() - 60 < time_created <= time.time()
    assert created(samples, "inetdiag_listener_listen_drops", **labels) == time_created
    assert created_ports(samples) == {str(PORT + 1)}
    assert created(openmetrics_samples(exporter), "inetdiag_listener_socket_drops", **labels) == time_created
    assert first and second


def test_a_listener_whose_counter_continues_is_not_created_again(start):
    exporter = start()
    listener = listen(port=PORT)
    labels = {"address": "127.0.0.1", "port": str(PORT)}
    time_created = created(openmetrics_samples(exporter), "inetdiag_listener_socket_drops", **labels)
    assert time_created is None  # there at the first collection
    clients = []
    overflow(PORT, lambda port, count: clients.append(connect_without_waiting(port, count)), own_listen_drops)
    openmetrics_samples(exporter)
    listener.close()
    wait_until("the listener is absent", lambda: f'port="{PORT}"' not in exporter.page())
    listener = listen(port=PORT)
    samples = openmetrics_samples(exporter)
    assert samples[("inetdiag_listener_socket_drops_total", frozenset(labels.items()))] > 0
    assert created(samples, "inetdiag_listener_socket_drops", **labels) is None


def test_counters_of_a_new_namespace_are_created_with_it(start, new_namespace):
    old = new_namespace()
    exporter = start("--netns.discover=processes")
    openmetrics_samples(exporter)
    new = new_namespace()
    new.send_command("listen", PORT, 4)
    overflow(PORT, functools.partial(new.send_command, "connect"), lambda: new.counter("TcpExtListenDrops"))
    samples = openmetrics_samples(exporter)
    drops = new.counter("TcpExtListenDrops")
    listener = {"address": "127.0.0.1", "port": str(PORT), "netns": new.inode}
    assert 0 < samples[("inetdiag_listener_listen_drops_total", frozenset(listener.items()))] <= drops
    time_created = created(samples, "inetdiag_nstat_tcpext_listen_drops", netns=new.inode)
    assert time.time() - 60 < time_created <= time.time()
    for family in ("socket_drops", "listen_drops"):
        assert created(samples, f"inetdiag_listener_{family}", **listener) == time_created
    assert created(samples, "inetdiag_udp_drops", address="other", port="other", netns=new.inode) == time_created
    assert created(samples, "inetdiag_nstat_tcpext_listen_drops", netns=old.inode) is None
    assert created(samples, "inetdiag_nstat_tcpext_listen_drops") is None
    nstat = {name for name, labels in samples if name.startswith("inetdiag_nstat_") and ("netns", new.inode) in labels}
    counters = {name.removesuffix("_total") for name in nstat if name.endswith("_total")}
    assert len(counters) > 10
    assert all(created(samples, counter, netns=new.inode) == time_created for counter in counters)


def test_counters_of_an_old_namespace_are_not_created_when_it_gets_a_process(start, new_namespace, tmp_path):
    unshare_mounts()
    old = new_namespace()
    file = tmp_path / "namespace"
    file.touch()
    subprocess.run(["mount", "--bind", old.file, str(file)], check=True)
    old.stop()
    exporter = start("--netns.discover=all", f"--path.netns={tmp_path / 'none'}")
    assert f'netns="{old.inode}"' not in openmetrics_page(exporter)
    with subprocess.Popen(["nsenter", f"--net={file}", "cat"], stdin=subprocess.PIPE) as process:
        wait_until("a process is in the namespace", lambda: f'netns="{old.inode}"' in exporter.page())
        samples = openmetrics_samples(exporter)
        assert created(samples, "inetdiag_nstat_tcpext_listen_drops", netns=old.inode) is None
        assert ("inetdiag_nstat_tcpext_listen_drops_total", frozenset({("netns", old.inode)})) in samples
        process.stdin.close()
    subprocess.run(["umount", str(file)], check=True)


def test_counters_of_a_skipped_namespace_are_not_created(start, new_namespace):
    namespaces = {namespace.inode: namespace for namespace in (new_namespace(), new_namespace())}
    exporter = start("--netns.discover=processes", "--netns.max=1", f"--netns.include=^({'|'.join(namespaces)})$")
    page = openmetrics_page(exporter)
    (collected,) = set(re.findall(r'inetdiag_nstat_tcpext_listen_drops_total\{netns="(\d+)"\}', page))
    namespaces.pop(collected).stop()
    (other,) = namespaces
    wait_until("the other namespace is collected", lambda: f'netns="{other}"' in exporter.page())
    samples = openmetrics_samples(exporter)
    assert ("inetdiag_nstat_tcpext_listen_drops_total", frozenset({("netns", other)})) in samples
    assert created(samples, "inetdiag_nstat_tcpext_listen_drops", netns=other) is None


CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: inetdiag
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def downloaded():
    reason = "no Prometheus with created timestamps; run tests/e2e/newer_prometheus.py"
    return newer_prometheus.program() or pytest.skip(reason)


@pytest.mark.plain_only
@pytest.mark.parametrize(
    "program, flags",
    [
        pytest.param(lambda: "prometheus", [], id="debian"),
        pytest.param(downloaded, [], id="without the feature"),
        pytest.param(downloaded, ["--enable-feature=created-timestamp-zero-ingestion"], id="with the feature"),
    ],
)
def test_prometheus_sees_the_first_drops(start, new_namespace, tmp_path, program, flags):
    exporter = start("--netns.discover=processes")
    prometheus = Prometheus(tmp_path, CONFIGURATION.format(port=exporter.port), *flags, program=program())
    try:
        wait_until("Prometheus has scraped", lambda: prometheus.query("up{job='inetdiag'} == 1"))
        prometheus.process.send_signal(signal.SIGSTOP)
        exporter.page()  # the last collection without the listeners
        listener = listen(port=PORT)
        clients = []
        overflow(PORT, lambda port, count: clients.append(connect_without_waiting(port, count)), own_listen_drops)
        namespace = new_namespace()
        namespace.send_command("listen", PORT, 4)
        connect = functools.partial(namespace.send_command, "connect")
        overflow(PORT, connect, lambda: namespace.counter("TcpExtListenDrops"))
        prometheus.process.send_signal(signal.SIGCONT)

        own = f"{{address='127.0.0.1',port='{PORT}',netns=''}}"
        other = f"{{address='127.0.0.1',port='{PORT}',netns='{namespace.inode}'}}"
        has_feature = bool(flags)
        for family, labels in [
            ("inetdiag_listener_socket_drops", own),
            ("inetdiag_listener_listen_drops", own),
            ("inetdiag_listener_socket_drops", other),
            ("inetdiag_listener_listen_drops", other),
            ("inetdiag_nstat_tcpext_listen_drops", f"{{netns='{namespace.inode}'}}"),
        ]:
            series = f"{family}_total{labels}"
            wait_until(series, lambda: prometheus.query(f"count_over_time({series}[5m]) >= 3"))
            # The SYNs that clients repeat are dropped later.
            first = prometheus.query(f"min_over_time({series}[5m])")
            assert (float(first[0]["value"][1]) == 0) == has_feature, series
            seen = prometheus.query(f"increase({series}[5m]) >= 1")
            assert has_feature <= bool(seen), series
            # Without the feature the timestamps are stored as series.
            assert bool(prometheus.query(f"{family}_created{labels}")) != has_feature
        assert listener and clients
        log = (tmp_path / "log").read_text()
        assert not re.search("level=(warn|error).*(scrape|append|parse)", log, re.IGNORECASE), log
    finally:
        prometheus.process.send_signal(signal.SIGCONT)
        prometheus.stop()
