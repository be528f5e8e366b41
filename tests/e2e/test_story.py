"""The story that this exporter is for, replayed in fast time: a quiet time, everything goes wrong, it
recovers. A real Prometheus with the rules of deploy/prometheus scrapes real exporters; what the alerts
did and what each query of the dashboards answers is looked at afterwards.

A minute of the rules is a second here, by rewriting their durations."""

import contextlib
import math
import os
import re
import resource
import subprocess
import threading
import time
from pathlib import Path

import pytest

import pod
import promql
from conftest import Exporter, enter_new_namespace, wait_until
from prometheus_server import Prometheus
from promql import DASHBOARDS, PROMETHEUS, alerts, dashboard, metrics_in, panels, queries
from test_netns import Folder, own_mounts
from troubles import (
    CloseWaits,
    Overflow,
    RecordedProc,
    SynFlood,
    TimeWaits,
    UdpFlood,
    Unanswered,
    UnixOverflow,
    add_black_hole,
    set_sysctl,
)

pytestmark = pytest.mark.once

# A phase has what it waits for, on a machine that does much else; and Prometheus has other work too.
PATIENCE = {"seconds": 180, "every": 0.3}

# Alert, and a label that tells what it is about. `proc` reads recorded files; `broken` loses its
# sockstat; `gone` is ended.
EXPECTED = {
    ("InetdiagListenerAcceptQueueFull", "port", "8080"),
    ("InetdiagListenerAcceptQueueFull", "port", "9000"),
    ("InetdiagListenerAcceptQueueNearlyFull", "port", "8080"),
    ("InetdiagListenerAcceptQueueNearlyFull", "port", "9000"),
    ("InetdiagListenerSynQueueFull", "port", "8443"),
    ("InetdiagListenerDrops", "port", "8080"),
    ("InetdiagListenerDrops", "port", "9000"),
    ("InetdiagSynCookiesSent", "instance", "live"),
    ("InetdiagSynCookiesWithDrops", "port", "8080"),
    ("InetdiagSynCookiesWithDrops", "port", "9000"),
    ("InetdiagListenerBacklogTooSmall", "port", "8080"),
    ("InetdiagSomaxconnTooSmall", "port", "9000"),
    ("InetdiagUnixListenerAcceptQueueFull", "path", "@inetdiag-story"),
    ("InetdiagTimeWaitNearLimit", "instance", "live"),
    ("InetdiagTimeWaitOverflow", "instance", "live"),
    ("InetdiagTcpOrphansNearLimit", "instance", "proc"),
    ("InetdiagTcpMemoryPressure", "instance", "proc"),
    ("InetdiagTcpMemoryAborts", "instance", "proc"),
    ("InetdiagTcpHighRetransmissionRate", "instance", "live"),
    ("InetdiagCloseWaitGrowing", "port", "7000"),
    ("InetdiagUdpDrops", "port", "5353"),
    ("InetdiagConntrackNearLimit", "instance", "proc"),
    ("InetdiagConntrackDrops", "instance", "proc"),
    ("InetdiagSoftnetDrops", "instance", "proc"),
    ("InetdiagCollectorFailing", "collector", "sockstat"),
    ("InetdiagNamespacesSkipped", "instance", "live"),
    ("InetdiagExporterDown", "instance", "gone"),
}
# What the pod suffers like the exporter's own namespace.
OF_THE_POD = {
    "InetdiagListenerAcceptQueueFull",
    "InetdiagListenerAcceptQueueNearlyFull",
    "InetdiagListenerSynQueueFull",
    "InetdiagListenerDrops",
    "InetdiagSynCookiesSent",
    "InetdiagSynCookiesWithDrops",
    "InetdiagListenerBacklogTooSmall",
    "InetdiagUnixListenerAcceptQueueFull",
    "InetdiagTimeWaitNearLimit",
    "InetdiagTimeWaitOverflow",
    "InetdiagTcpHighRetransmissionRate",
    "InetdiagCloseWaitGrowing",
    "InetdiagUdpDrops",
}
EXPECTED |= {(name, "netns", pod.NETNS) for name in OF_THE_POD}
# They need a Prometheus without targets, or without rules: promtool's cases have them.
NOT_IN_THE_STORY = {"InetdiagExporterAbsent", "InetdiagRecordingRulesMissing"}


def in_fast_time(rules):
    """A minute becomes a second, in `for` and in ranges."""
    fast = re.sub(r"(\bfor: |\[)(\d+)m\b", r"\1\2s", rules)
    assert not re.search(r"\bfor: \d+[mh]|\[\d+[mh]", fast)
    return fast


def board_of(name):
    return dashboard(next(file for file in DASHBOARDS if file.stem == name))


class Story:
    """What happened: when it began and ended, and the Prometheus that remembers it."""

    def __init__(self, folder, binary, cleanup):
        self.folder, self.binary, self.cleanup = folder, binary, cleanup
        self.running = {}
        self.missing = {}  # metric: why this machine cannot make it
        self.cgroups = None  # where cgroups can be made
        self.begin = time.time()

        set_sysctl("net.ipv4.tcp_syncookies", 1)
        set_sysctl("net.ipv4.tcp_synack_retries", 1)  # half-open connections go within seconds
        self.lower_somaxconn(40)
        add_black_hole()
        with self.cgroup():
            overflow = Overflow(8080, 8)
        proc = RecordedProc(folder / "proc")
        self.sockstat = folder / "broken" / "net" / "sockstat"
        self.sockstat.parent.mkdir(parents=True)
        self.heal_collector()
        pins = Folder(folder / "netns")
        self.troubles = [
            pod.Pod(pins, folder / "pods", self.cgroups, cleanup),
            pod.Latecomer(pins, cleanup),
            overflow,
            Overflow(9000, 128),
            SynFlood(8443),
            TimeWaits(),
            CloseWaits(7000),
            Unanswered(),
            UdpFlood(5353),
            UnixOverflow("\0inetdiag-story"),
            proc,
        ]
        files = ["--collector.sockstat", "--collector.softnet", "--collector.conntrack", "--collector.nstat"]
        only = ["--collector.disable-defaults"]
        quiet = pod.Network(pins, "cni-2", cleanup)
        quiet.tell("listen", 8080, 4)
        for name, value in (("tcp_syncookies", 2), ("tcp_abort_on_overflow", 1), ("tcp_max_syn_backlog", 64)):
            quiet.tell("sysctl", f"net.ipv4.{name}", value)
        self.start(
            "live",
            "--collector.tcp.cpu-budget=100%",
            "--netns.discover=pinned",
            "--netns.max=2",
            f"--path.netns={pins.path}",
            f"--path.pod-logs={folder}/pods",
        )
        self.start("proc", f"--path.procfs={proc.folder}", *only, *files, "--collector.sysctl")
        self.start("broken", f"--path.procfs={folder}/broken", *only, "--collector.sockstat")
        self.start("gone", *only, "--collector.sysctl")
        self.prometheus = Prometheus(folder, self.configuration())
        cleanup.callback(self.prometheus.end)
        self.ask = self.prometheus.ask

    def lower_somaxconn(self, value):
        try:
            set_sysctl("net.core.somaxconn", value)
        except OSError as error:
            for metric in ("inetdiag_listener_backlog_capped", "inetdiag_sysctl_net_core_somaxconn"):
                self.missing[metric] = f"net.core.somaxconn cannot be set here: {error}"

    @contextlib.contextmanager
    def cgroup(self):
        """What opens a socket here is a systemd unit to the exporter, where cgroups can be made."""
        mounts = [Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")]
        mount = next((m for m in mounts if (m / "cgroup.controllers").exists()), None)
        unit = f"inetdiag-story-{os.getpid()}.service"
        try:
            if mount is None:
                raise OSError("no cgroup v2 here")
            (mount / unit).mkdir()
            self.cleanup.callback((mount / unit).rmdir)
            own = re.search(r"^0::(.*)$", Path("/proc/self/cgroup").read_text(), re.M).group(1)
            (mount / unit / "cgroup.procs").write_text("0")
        except OSError as error:
            self.missing["inetdiag_listener_info"] = f"no cgroup of its own: {error}"
            yield
            return
        self.unit, self.cgroups = unit, mount
        yield
        (mount / own.lstrip("/") / "cgroup.procs").write_text("0")

    def start(self, name, *arguments, listen="127.0.0.1:0"):
        process = subprocess.Popen(
            [self.binary, f"--web.listen-address={listen}", *arguments],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.cleanup.callback(process.wait, timeout=60)
        self.cleanup.callback(process.terminate)
        exporter = Exporter(process)
        exporter.wait_until_it_listens()
        self.running[name] = (exporter, arguments)

    def configuration(self):
        for file in ("rules.yaml", "alerts.yaml"):
            (self.folder / file).write_text(in_fast_time((PROMETHEUS / file).read_text()))
        targets = "\n".join(
            f'      - {{targets: ["127.0.0.1:{exporter.port}"], labels: {{instance: {name}}}}}'
            for name, (exporter, _) in self.running.items()
        )
        return f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [rules.yaml, alerts.yaml]
scrape_configs:
  - job_name: inetdiag
    static_configs:
{targets}
"""

    def heal_collector(self):
        self.sockstat.write_text("TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 1\n")

    def alerts(self, state=".+", since=None):
        """(name, labels) of alerts that are in that state now, or were since."""
        selector = f'ALERTS{{alertstate=~"{state}"}}'
        found = self.ask(selector) if since is None else self.prometheus.ask_range(selector, since, time.time())
        return [(series["metric"]["alertname"], series["metric"]) for series in found]

    def fired(self, since=None):
        found = self.alerts("firing", self.begin if since is None else since)
        return {(name, label, labels.get(label)) for name, labels in found for label in labels}

    def tell(self):
        ticker = Ticker(self.troubles)
        self.cleanup.callback(ticker.end)
        wait_until(
            "the quiet time is known to every range",
            lambda: len(self.ask("count_over_time(up[7s]) >= 6 and min_over_time(up[7s]) == 1")) == 4,
            **PATIENCE,
        )
        self.quiet = self.alerts()

        self.trouble = time.time()
        ticker.pressing = True
        self.sockstat.unlink()
        gone, arguments = self.running["gone"]
        gone.end()
        silent = self.expected()

        def all_fired():
            ticker.check()
            silent.difference_update(self.fired())
            return not silent

        try:
            wait_until("what should fire has fired", all_fired, **PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"never fired: {sorted(silent)}") from error

        self.recovery = time.time()
        ticker.pressing = False
        self.heal_collector()
        self.start("gone", *arguments, listen=f"127.0.0.1:{gone.port}")
        wait_until("all alerts are resolved", lambda: self.ask("up") and not self.alerts(), **PATIENCE)
        ticker.end()
        self.end = time.time()

    def expected(self):
        unlikely = ()
        if "inetdiag_listener_backlog_capped" in self.missing:
            unlikely = ("InetdiagSomaxconnTooSmall", "InetdiagListenerBacklogTooSmall")
        return {expected for expected in EXPECTED if expected[0] not in unlikely}

    def values(self, expression, start=None, end=None, **chosen):
        """All values that the expression had, variables filled in: with all, or as `chosen`."""
        for variable, value in chosen.items():
            expression = re.sub(rf"\${variable}\b", value, expression)
        for variable, value in (("__rate_interval", "5s"), ("job", "inetdiag")):
            expression = expression.replace(f"${variable}", value)
        expression = re.sub(r"\$(instance|address|port)\b", ".+", expression)
        expression = re.sub(r"\$(netns|pod_namespace|pod)\b", ".*", expression)
        assert "$" not in expression, expression
        found = self.prometheus.ask_range(expression, start or self.begin, end or self.end)
        return [float(value) for series in found for _, value in series["values"]]


class Ticker:
    """Presses all troubles, or lets them rest, five times a second."""

    def __init__(self, troubles):
        self.troubles = troubles
        self.pressing = False
        self.failure = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while not self._ending.wait(0.2):
                for trouble in self.troubles:
                    (trouble.press if self.pressing else trouble.rest)()
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def check(self):
        if self.failure:
            raise self.failure

    def end(self):
        self._ending.set()
        self._thread.join()
        self.check()


@pytest.fixture(autouse=True)
def namespace():
    """Here all tests are in the namespace of the story."""


@pytest.fixture(scope="module")
def story(tmp_path_factory, request):
    enter_new_namespace()
    own_mounts()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        told = Story(tmp_path_factory.mktemp("story"), request.config.getoption("--exporter"), cleanup)
        told.tell()
        yield told


def test_the_quiet_time_is_quiet(story):
    assert story.quiet == []


def test_what_should_fire_fires_and_nothing_else(story):
    fired = story.fired(story.trouble)
    names = {name for name, _, _ in fired}
    assert {name for name, _, _ in story.expected()} == names
    assert {a["alert"] for a in alerts()} - {name for name, _, _ in EXPECTED} == NOT_IN_THE_STORY
    for name in ("InetdiagListenerBacklogTooSmall", "InetdiagSomaxconnTooSmall", "InetdiagCloseWaitGrowing"):
        ports = {value for alert, label, value in fired if (alert, label) == (name, "port")}
        assert ports == {value for alert, label, value in story.expected() if (alert, label) == (name, "port")}, name
    in_namespaces = {(name, label, value) for name, label, value in fired if label == "netns"}
    assert in_namespaces == {expected for expected in story.expected() if expected[1] == "netns"}


def test_all_alerts_resolve(story):
    assert len(story.ask("up == 1")) == 4
    assert story.alerts() == []


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_every_query_of_a_dashboard_answers(story, file):
    silent = [
        where
        for where, expression in queries(dashboard(file))
        if not metrics_in(expression) & set(story.missing)
        and not any(math.isfinite(value) for value in story.values(expression))
    ]
    assert silent == []


@pytest.mark.parametrize("name", ["overview", "pods"])
def test_the_findings_are_found_and_go(story, name):
    for panel in panels(board_of(name)):
        if panel["type"] == "stat":
            (expression,) = [target["expr"] for target in panel["targets"]]
            during = story.values(expression, story.trouble, story.recovery)
            after = story.values(expression, story.end, story.end)
            assert max(during) > 0 and after == [0], panel["title"]


# Panels of the nodes, not of their pods.
OF_THE_NODE = {"Limits of the node", "Discovered and skipped", "Skipped", "Collection"}


def test_a_pod_can_be_chosen(story):
    if story.cgroups is None:
        pytest.skip(story.missing["inetdiag_listener_info"])
    for panel in panels(board_of("pods")):
        for target in panel["targets"] if panel["title"] not in OF_THE_NODE else []:
            where = f"{panel['title']} {target['refId']}"
            of_nobody = story.values(target["expr"], pod="nobody")
            assert not any(math.isfinite(value) and value for value in of_nobody), where
            if panel["title"] != "Limits that differ from the node":  # all but one are, in this pod
                chosen = story.values(target["expr"], pod_namespace=pod.NAMESPACE, pod=pod.NAME)
                assert any(math.isfinite(value) for value in chosen), where


def test_every_variable_has_values(story):
    for file in DASHBOARDS:
        for variable in dashboard(file)["templating"]["list"]:
            if variable["type"] == "query":
                selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]).groups()
                assert story.values(f"count by ({label}) ({selector})"), variable["name"]


def test_the_owner_of_a_listener_is_named(story):
    if "inetdiag_listener_info" in story.missing:
        pytest.skip(story.missing["inetdiag_listener_info"])
    units = {
        (name, labels.get("port")): labels.get("unit")
        for name, labels in story.alerts("firing", story.trouble)
        if "netns" not in labels
    }
    assert units["InetdiagListenerDrops", "8080"] == story.unit
    assert units["InetdiagListenerDrops", "9000"] is None


def test_the_pod_is_named_and_nothing_else_is(story):
    if story.cgroups is None:
        pytest.skip(story.missing["inetdiag_listener_info"])
    for name, labels in story.alerts("firing", story.trouble):
        expected = (pod.NAMESPACE, pod.NAME) if "netns" in labels else (None, None)
        assert (labels.get("pod_namespace"), labels.get("pod_name")) == expected, name


def test_who_limits_is_told(story):
    if "inetdiag_listener_backlog_capped" in story.missing:
        pytest.skip(story.missing["inetdiag_listener_backlog_capped"])
    fired = story.fired(story.trouble)
    assert ("InetdiagListenerBacklogTooSmall", "port", "8080") in fired
    assert ("InetdiagSomaxconnTooSmall", "port", "9000") in fired


def test_every_recorded_series_is_there(story):
    for name in promql.recorded():
        assert story.values(name), name
