"""Pushes to StatsD: the statsd server of npm, the grammar of each format, and listeners that start and
stop."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from conftest import FIXTURES, ROOT, connect_without_waiting, families_of, listen, series_of, wait_until
from dns_server import DnsServer

STATSD = ROOT / "tests" / "statsd" / "node_modules" / "statsd"


class Statsd:
    """The server of npm with its console backend. A thread parses its reports."""

    def __init__(self, folder):
        config = folder / "config.js"
        # A name that it would have to sanitise is an error of the exporter.
        config.write_text(
            json.dumps(
                {
                    "backends": ["./backends/console"],
                    "address": "127.0.0.1",
                    "mgmt_address": "127.0.0.1",
                    "flushInterval": 200,
                    "keyNameSanitize": False,
                }
            )
        )
        self.gauges = {}
        self.counts = {}  # sums over all reports
        self.bad_lines = []
        self.process = subprocess.Popen(
            ["node", str(STATSD / "stats.js"), str(config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        part = None
        for line in self.process.stdout:
            if heading := re.match(r"  (\w+): \{", line):
                part = heading[1]
            elif "Bad line" in line:
                self.bad_lines.append(line)
            if found := re.match(r"    '?([^']+?)'?: (-?[\d.e+-]+),?$", line):
                if part == "gauges":
                    self.gauges[found[1]] = float(found[2])
                elif part == "counters":
                    self.counts[found[1]] = self.counts.get(found[1], 0) + float(found[2])

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        self._reader.join()


@pytest.fixture
def statsd(tmp_path):
    if not STATSD.exists() or not shutil.which("node"):
        pytest.skip("no statsd server of npm: run npm ci --prefix tests/statsd")
    running = []

    def start():
        running.append(Statsd(tmp_path))
        wait_until("statsd reports", lambda: "statsd.packets_received" in running[-1].counts)
        return running[-1]

    yield start
    for server in running:
        if server.process.poll() is None:
            server.end()


def name_of(series):
    """The name that docs/statsd.md documents for a series."""
    name, _, labels = series.partition("{")
    for label, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels):
        name += f".{label}." + re.sub(r"[^A-Za-z0-9_-]", "_", value)
    return name


def test_statsd_receives_gauges_and_increases(start, statsd):
    server = listen(backlog=2)
    port = server.getsockname()[1]
    server_of_statsd = statsd()
    exporter = start("--statsd.address=127.0.0.1:8125", "--statsd.interval=200ms")
    queue = f"inetdiag_listener_accept_queue_length.address.127_0_0_1.port.{port}"
    wait_until("the first push has arrived", lambda: queue in server_of_statsd.gauges)
    drops = f'inetdiag_listener_listen_drops_total{{address="127.0.0.1",port="{port}"}}'
    assert exporter.series()[drops] == 0
    clients = connect_without_waiting(port, 10)

    pushed_drops = f"inetdiag_listener_listen_drops_total.address.127_0_0_1.port.{port}"
    wait_until(
        "statsd and the page have the same drops",
        lambda: server_of_statsd.counts.get(pushed_drops, 0) == exporter.series()[drops] >= 7,
    )
    wait_until("the queue has its length", lambda: server_of_statsd.gauges[queue] == 3)

    # These differ between pushes.
    volatile = re.compile(r"inetdiag_scrape_collector_duration|process_|inetdiag_tcp_|inetdiag_sockstat|inetdiag_nstat")

    def gauges():
        page = exporter.page()
        kinds = families_of(page)
        found = {s: v for s, v in series_of(page).items() if kinds.get(s.partition("{")[0]) == "gauge"}
        return {name_of(s): v for s, v in found.items() if not volatile.match(s)}

    wait_until(
        "statsd has all gauges of the page",
        lambda: all(server_of_statsd.gauges.get(name) == value for name, value in gauges().items()),
    )
    assert len(gauges()) > 50
    assert server_of_statsd.bad_lines == []
    series = exporter.series()
    assert series["inetdiag_statsd_errors_total"] == 0
    assert series["inetdiag_statsd_datagrams_sent_total"] > 0
    assert len(clients) == 10


def test_counter_resets_count_from_zero(start, statsd, tmp_path):
    proc = tmp_path / "proc"
    shutil.copytree(FIXTURES / "proc", proc)
    netstat = proc / "net" / "netstat"
    recorded = netstat.read_text()

    def set_drops(count):
        names, values = recorded.splitlines()[:2]
        values = values.split()
        values[names.split().index("ListenDrops")] = str(count)
        changed = netstat.with_name("changed")
        changed.write_text("\n".join([names, " ".join(values), *recorded.splitlines()[2:], ""]))
        changed.rename(netstat)

    set_drops(100)
    server = statsd()
    exporter = start("--statsd.address=127.0.0.1:8125", "--statsd.interval=100ms", f"--path.procfs={proc}")
    name = "inetdiag_nstat_tcpext_listen_drops_total"
    wait_until("the first push has arrived", lambda: "inetdiag_exporter_build_info" in " ".join(server.gauges))
    pushed = 0
    for drops, increase in [(107, 7), (3, 3), (13, 10), (0, 0), (2, 2)]:
        set_drops(drops)
        sent = exporter.series()["inetdiag_statsd_datagrams_sent_total"]
        wait_until("it has been pushed", lambda: exporter.series()["inetdiag_statsd_datagrams_sent_total"] > sent + 20)
        pushed += increase
        wait_until("the increase has arrived", lambda: server.counts.get(name, 0) >= pushed)
        assert server.counts[name] == pushed


def test_statsd_restart_loses_no_increase(start, statsd):
    server = listen(backlog=2)
    port = server.getsockname()[1]
    first = statsd()
    exporter = start("--statsd.address=127.0.0.1:8125", "--statsd.interval=200ms", "--statsd.prefix=web.one")
    queue = f"web.one.inetdiag_listener_accept_queue_length.address.127_0_0_1.port.{port}"
    wait_until("the first push has arrived", lambda: queue in first.gauges)
    first.end()
    errors = "inetdiag_statsd_errors_total"
    wait_until("pushes fail", lambda: exporter.series()[errors] >= 2)
    clients = connect_without_waiting(port, 10)
    drops = f'inetdiag_listener_listen_drops_total{{address="127.0.0.1",port="{port}"}}'
    wait_until("drops are counted", lambda: exporter.series()[drops] >= 7)
    second = statsd()
    pushed_drops = f"web.one.inetdiag_listener_listen_drops_total.address.127_0_0_1.port.{port}"
    wait_until("all drops have arrived", lambda: second.counts.get(pushed_drops, 0) == exporter.series()[drops])
    assert first.counts.get(pushed_drops, 0) == 0
    assert exporter.log.count("push to StatsD failed") == 1, "once a minute"
    assert len(clients) == 10


def with_files(folder, files):
    """Returns a command prefix whose program sees these files in /etc."""
    mounts = []
    for name, text in files.items():
        (folder / name).write_text(text)
        mounts.append(f"mount --bind '{folder / name}' /etc/{name}")
    command = ["unshare", "--mount", "sh", "-c", " && ".join([*mounts, 'exec "$@"']), "sh"]
    tried = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"mount is not permitted: {tried.stderr.strip()}")
    return command


def with_dns_server(folder):
    """Returns a command prefix whose program queries DnsServer with a timeout longer than the tests."""
    return with_files(
        folder,
        {
            "resolv.conf": "nameserver 127.0.0.1\noptions timeout:100 attempts:1\n",
            "nsswitch.conf": "hosts: files dns\n",
        },
    )


def test_dns_over_tcp_works_in_the_sandbox(start, tmp_path):
    listener = Listener(socket.AF_INET, ("127.0.0.1", 8125))
    DnsServer(addresses=60, tcp_only=True)  # too many addresses for a UDP response
    exporter = start("--statsd.address=statsd.example.org:8125", command=with_dns_server(tmp_path))
    assert listener.datagrams_of_a_push(LAST)
    assert exporter.series()["inetdiag_statsd_errors_total"] == 0


def test_silent_dns_server_delays_neither_scrapes_nor_shutdown(start, tmp_path):
    dns = DnsServer(silent=True)
    exporter = start("--statsd.address=statsd.example.org:8125", command=with_dns_server(tmp_path))
    assert dns.received_query.wait(60)
    assert {v for s, v in exporter.series().items() if "collector_success" in s} == {1}
    status, log = exporter.end()  # before the resolver times out
    assert (status, "cannot resolve" in log) == (0, False)


def test_localhost_falls_back_to_ipv4(start, tmp_path):
    """localhost usually resolves to ::1 first, and most StatsD listeners are on 127.0.0.1."""
    listener = Listener(socket.AF_INET, ("127.0.0.1", 8125))
    command = with_files(tmp_path, {"hosts": "::1 localhost\n127.0.0.1 localhost\n"})
    exporter = start("--statsd.address=localhost:8125", command=command)
    assert listener.datagrams_of_a_push(LAST)
    assert exporter.series()["inetdiag_statsd_errors_total"] == 0


class Listener:
    """A socket that receives datagrams."""

    def __init__(self, family, address):
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind(address)
        self.socket.settimeout(60)

    def datagrams_of_a_push(self, end):
        """Returns the datagrams up to the one that contains `end`."""
        datagrams = []
        while not datagrams or end not in datagrams[-1]:
            datagrams.append(self.socket.recv(70000).decode())
        return datagrams


# https://docs.datadoghq.com/developers/dogstatsd/datagram_shell:
# <METRIC_NAME>:<VALUE>|<TYPE>|@<SAMPLE_RATE>|#<TAG_KEY_1>:<TAG_VALUE_1>,<TAG_2>; of names: ASCII
# letters, digits, underscores and periods, a letter first, 200 characters at most.
# https://docs.datadoghq.com/getting_started/tagging: of tags: a letter first, then letters, digits,
# underscores, minuses, colons, periods and slashes.
DOGSTATSD = re.compile(
    r"[A-Za-z][A-Za-z0-9_.]{0,199}:-?\d+(\.\d+)?\|[gc]"
    r"(\|#[A-Za-z][A-Za-z0-9_]*:[A-Za-z0-9_:./-]*(,[A-Za-z][A-Za-z0-9_]*:[A-Za-z0-9_:./-]*)*)?"
)
# https://docs.influxdata.com/telegraf/v1/input-plugins/statsd: tags between the name and the colon.
INFLUXDB = re.compile(r"[A-Za-z][A-Za-z0-9_.]*(,\w+=[A-Za-z0-9_./-]+)*:-?\d+(\.\d+)?\|[gc]")
# https://github.com/statsd/statsd/blob/master/docs/metric_types.md
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*:-?\d+(\.\d+)?\|[gc]")

LAST = "process_virtual_memory_bytes"


def hostile_sockets():
    """Opens sockets whose names need sanitising in labels."""
    held = [listen("::1"), listen("0.0.0.0", backlog=1)]
    for name in (b"\0a|b,c:d=e f#g@h\ni", "\0ä/ö;".encode(), b"\0" + b"x" * 90):
        local = socket.socket(socket.AF_UNIX)
        local.bind(name)
        local.listen(1)
        held.append(local)
    return held


@pytest.mark.parametrize(
    ("tags", "grammar", "queue"),
    [
        ("none", PLAIN, "inetdiag_listener_accept_queue_length.address.___1_.port.{}:0|g"),
        ("dogstatsd", DOGSTATSD, "inetdiag_listener_accept_queue_length:0|g|#address:_::1_,port:{}"),
        ("influxdb", INFLUXDB, "inetdiag_listener_accept_queue_length,address=___1_,port={}:0|g"),
    ],
    ids=["none", "dogstatsd", "influxdb"],
)
def test_every_line_matches_the_grammar(start, tags, grammar, queue):
    held = hostile_sockets()
    listener = Listener(socket.AF_INET, ("127.0.0.1", 8125))
    start("--statsd.address=localhost:8125", f"--statsd.format={tags}", "--statsd.interval=200ms", "--statsd.mtu=512")
    datagrams = listener.datagrams_of_a_push(LAST) + listener.datagrams_of_a_push(LAST)
    assert max(len(datagram.encode()) for datagram in datagrams) <= 512
    assert len(datagrams) > 10
    lines = [line for datagram in datagrams for line in datagram.split("\n")]
    assert [line for line in lines if not grammar.fullmatch(line)] == []
    assert queue.format(held[0].getsockname()[1]) in lines
    assert any("|c" in line for line in lines), "the scrapes of the exporter increase counters"


def test_datagrams_are_filled_to_the_mtu(start):
    listener = Listener(socket.AF_INET6, ("::1", 8125))
    start("--statsd.address=[::1]:8125", "--statsd.interval=200ms")
    datagrams = listener.datagrams_of_a_push(LAST)
    longest_line = max(len(line) for datagram in datagrams for line in datagram.split("\n"))
    for datagram in datagrams[:-1]:
        assert 1432 - 1 - longest_line <= len(datagram) <= 1432


def test_unix_socket_may_appear_late_and_disappear(start, tmp_path):
    path = tmp_path / "statsd.sock"
    exporter = start(f"--statsd.address=unix://{path}", "--statsd.interval=200ms")
    errors = "inetdiag_statsd_errors_total"
    wait_until("pushes fail", lambda: exporter.series()[errors] >= 1)
    assert str(path) in exporter.log
    for _ in range(2):
        listener = Listener(socket.AF_UNIX, str(path))
        assert listener.datagrams_of_a_push(LAST)
        listener.socket.close()
        path.unlink()
        before = exporter.series()[errors]
        wait_until("pushes fail again", lambda: exporter.series()[errors] > before)
    success = {v for s, v in exporter.series().items() if "collector_success" in s}
    assert success == {1}
    assert exporter.log.count("push to StatsD failed") == 1


def test_no_web_pushes_without_listening(binary, tmp_path):
    listener = Listener(socket.AF_UNIX, str(tmp_path / "statsd.sock"))
    process = subprocess.Popen(
        [binary, "--no-web", f"--statsd.address=unix://{tmp_path}/statsd.sock", "--statsd.interval=200ms"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert listener.datagrams_of_a_push(LAST)
    listening = subprocess.run(["ss", "-Htln"], capture_output=True, text=True, check=True).stdout
    assert listening == ""
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "pushing to StatsD" in log and "msg=listening" not in log
    assert os.path.exists(tmp_path / "statsd.sock")


def test_stalled_listener_delays_no_scrape(start, tmp_path):
    listener = Listener(socket.AF_UNIX, str(tmp_path / "statsd.sock"))
    exporter = start(f"--statsd.address=unix://{tmp_path}/statsd.sock", "--statsd.interval=100ms", "--statsd.mtu=256")
    wait_until("the socket is full", lambda: exporter.series()["inetdiag_statsd_errors_total"] >= 2)
    success = {v for s, v in exporter.series().items() if "collector_success" in s}
    assert success == {1}
    assert "Resource temporarily unavailable" in exporter.log
    listener.socket.close()


def test_statsd_metrics_are_absent_without_an_address(start):
    assert not [series for series in start().series() if "statsd" in series]
