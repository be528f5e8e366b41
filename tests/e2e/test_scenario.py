"""Rules, alerts and dashboards on real data: a quiet phase, a phase with faults, a recovery.

A Prometheus server with the rules of deploy/prometheus scrapes exporters during the three phases. The
tests then check which alerts fired and that each dashboard query returned data. A minute of the rules is
rewritten to a second."""

import contextlib
import json
import math
import os
import re
import resource
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

import pod
from conftest import Exporter, enter_new_namespace, wait_until
from fault_injection import (
    AcceptQueueOverflow,
    BurstOfCloses,
    Bursts,
    CloseWaitLeak,
    FewPortsLeft,
    HealthyServer,
    HungServer,
    LostSynAcks,
    PausedClients,
    ProcfsFault,
    SaturatedDevice,
    SlowReceivers,
    SlowServer,
    StuckServer,
    SynCookiesWithOverflow,
    SynFlood,
    TimeWaitOverflow,
    UdpFlood,
    UnansweredConnects,
    UnixAcceptQueueOverflow,
    UnixDatagramFlood,
    add_black_hole,
    set_sysctl,
)
from netns import NetnsDirectory, unshare_mounts
from prometheus_server import Prometheus
from rules_and_dashboards import (
    DASHBOARDS,
    PROMETHEUS,
    ROOT,
    alerts,
    load_dashboard,
    metrics_in,
    minutes_to_seconds,
    panels,
    queries,
    recorded_metrics,
)

pytestmark = pytest.mark.plain_only

# A phase may take long on a busy machine. Infrequent polling leaves CPU time to Prometheus.
PHASE_WAIT = {"seconds": 180, "every": 0.3}

# (alert, label, value). The instance `live` is in the namespace of the test, `proc` reads a modified copy
# of /proc, `ports` too, `broken` loses /proc/net/sockstat and its sandbox, and `gone` is stopped.
EXPECTED = {
    ("InetdiagListenerAcceptQueueFull", "port", "8080"),
    ("InetdiagListenerAcceptQueueFull", "port", "9000"),
    ("InetdiagListenerStuck", "port", "7001"),
    ("InetdiagListenerAcceptQueueSlow", "port", "7003"),
    ("InetdiagListenerAcceptQueueNearlyFull", "port", "8080"),
    ("InetdiagListenerAcceptQueueNearlyFull", "port", "9000"),
    ("InetdiagListenerAcceptQueueBursts", "port", "7004"),
    ("InetdiagListenerSynQueueFull", "port", "8443"),
    ("InetdiagListenerDrops", "port", "8080"),
    ("InetdiagListenerDrops", "port", "9000"),
    ("InetdiagListenDropsUnattributed", "netns", "cni-2"),
    ("InetdiagSynCookiesSent", "instance", "live"),
    ("InetdiagSynCookiesUnanswered", "netns", "cni-2"),
    ("InetdiagSynCookiesWithDrops", "port", "8444"),
    ("InetdiagSynAcksUnanswered", "port", "8445"),
    ("InetdiagListenerBacklogTooSmall", "port", "8080"),
    ("InetdiagListenerBacklogTooSmall", "port", "8444"),
    ("InetdiagSomaxconnTooSmall", "port", "9000"),
    ("InetdiagUnixListenerAcceptQueueFull", "path", "@inetdiag-scenario"),
    ("InetdiagUnixListenerStuck", "path", "@inetdiag-stuck"),
    ("InetdiagUnixDatagramsUnread", "path", "@inetdiag-datagrams"),
    ("InetdiagEphemeralPortsNearlyExhausted", "instance", "ports"),
    ("InetdiagTimeWaitNearLimit", "instance", "live"),
    ("InetdiagTimeWaitOverflow", "instance", "live"),
    ("InetdiagTcpOrphansNearLimit", "instance", "proc"),
    ("InetdiagTcpMemoryPressure", "instance", "proc"),
    ("InetdiagTcpMemoryAborts", "instance", "proc"),
    ("InetdiagTcpHighRetransmissionRate", "instance", "proc"),
    ("InetdiagManyCloseWait", "port", "7000"),
    ("InetdiagConnectionsStalled", "port", "7007"),
    ("InetdiagProgramNotReading", "port", "7006"),
    ("InetdiagClosingStalled", "netns", "cni-2"),
    ("InetdiagConnectsUnanswered", "instance", "live"),
    ("InetdiagConnectsUnanswered", "instance", "ports"),
    ("InetdiagFastOpenQueueFull", "instance", "proc"),
    ("InetdiagUdpDrops", "port", "5353"),
    ("InetdiagConntrackNearLimit", "instance", "proc"),
    ("InetdiagConntrackDrops", "instance", "proc"),
    ("InetdiagSoftnetDrops", "instance", "proc"),
    ("InetdiagNeighbourTableNearlyFull", "instance", "proc"),
    ("InetdiagNeighbourTableFull", "instance", "proc"),
    ("InetdiagOpenFilesNearlyExhausted", "instance", "proc"),
    ("InetdiagFragmentsNearLimit", "instance", "proc"),
    ("InetdiagRouteCacheNearLimit", "instance", "proc"),
    ("InetdiagQdiscDrops", "device", "slow"),
    ("InetdiagNetlinkMessagesLost", "instance", "live"),
    ("InetdiagSocketDropsPackets", "kind", "raw"),
    ("InetdiagSocketDropsPackets", "kind", "packet"),
    ("InetdiagCollectorFailing", "collector", "sockstat"),
    ("InetdiagNamespacesSkipped", "instance", "live"),
    ("InetdiagSandboxInactive", "instance", "broken"),
    ("InetdiagExporterDown", "instance", "gone"),
}
# The pod has the same faults as the namespace of the test.
POD_ALERTS = {
    "InetdiagListenerAcceptQueueFull",
    "InetdiagListenerStuck",
    "InetdiagListenerAcceptQueueSlow",
    "InetdiagListenerAcceptQueueNearlyFull",
    "InetdiagListenerSynQueueFull",
    "InetdiagListenerDrops",
    "InetdiagSynCookiesSent",
    "InetdiagSynCookiesWithDrops",
    "InetdiagSynAcksUnanswered",
    "InetdiagListenerBacklogTooSmall",
    "InetdiagUnixListenerAcceptQueueFull",
    "InetdiagTimeWaitNearLimit",
    "InetdiagTimeWaitOverflow",
    "InetdiagManyCloseWait",
    "InetdiagConnectsUnanswered",
    "InetdiagUdpDrops",
}
EXPECTED |= {(name, "netns", pod.NETNS) for name in POD_ALERTS}
# These need a Prometheus without targets or rules. deploy/prometheus/tests has unit tests of them.
ONLY_IN_UNIT_TESTS = {"InetdiagExporterAbsent", "InetdiagRecordingRulesMissing"}


def dashboard_named(name):
    return load_dashboard(next(file for file in DASHBOARDS if file.stem == name))


class Scenario:
    """Runs the three phases, and keeps their times and the Prometheus server."""

    def __init__(self, directory, binary, cleanup):
        self.directory, self.binary, self.cleanup = directory, binary, cleanup
        self.running = {}
        # metric: why it cannot have a value
        self.unavailable = {"inetdiag_netlink_socket_info": "the sandbox hides the descriptors of other processes"}
        self.cgroups = None  # the cgroup v2 mount, if cgroups can be created
        self.begin = time.time()

        set_sysctl("net.ipv4.tcp_syncookies", 1)
        set_sysctl("net.ipv4.tcp_synack_retries", 1)  # half-open connections expire within seconds
        self.lower_somaxconn(40)
        add_black_hole()
        with self.cgroup():
            overflow, udp_flood = AcceptQueueOverflow(8080, 8), UdpFlood(5353)
        procfs = ProcfsFault(directory / "proc")
        (procfs.directory / "sys/kernel/osrelease").write_text("5.10.0\n")
        (procfs.directory / "sys/net/ipv6/route/max_size").write_text("4096\n")
        few_ports = FewPortsLeft(directory / "ports")
        saturated_device = SaturatedDevice()
        if not saturated_device.error:
            command = "tc qdisc add dev hole root pfifo limit 100"
            subprocess.run(command.split(), check=True)
        else:
            for metric in ("drops_total", "packets_total", "queue_packets", "overlimits_total", "requeues_total"):
                self.unavailable[f"inetdiag_qdisc_{metric}"] = saturated_device.error
        self.sockstat = directory / "broken" / "net" / "sockstat"
        self.sockstat.parent.mkdir(parents=True)
        self.restore_sockstat()
        netns_directory = NetnsDirectory(directory / "netns")
        self.faults = [
            pod.Pod(netns_directory, directory / "pods", self.cgroups, cleanup),
            pod.ExtraNamespace(netns_directory, cleanup),
            overflow,
            AcceptQueueOverflow(9000, 128),
            HealthyServer(7002),
            BurstOfCloses(7005),
            StuckServer(7001),
            SlowServer(7003),
            Bursts(7004),
            SynFlood(8443),
            SynCookiesWithOverflow(8444),
            LostSynAcks(8445),
            TimeWaitOverflow(),
            CloseWaitLeak(7000),
            HungServer(7006),
            PausedClients(7007),
            UnansweredConnects(),
            udp_flood,
            UnixAcceptQueueOverflow("\0inetdiag-scenario"),
            UnixAcceptQueueOverflow("\0inetdiag-stuck", 30),
            UnixDatagramFlood("\0inetdiag-datagrams"),
            procfs,
            few_ports,
            SlowReceivers(),
            saturated_device,
        ]
        procfs_collectors = [
            f"--collector.{name}"
            for name in "sockstat softnet conntrack nstat neighbours files fragments route_cache".split()
        ]
        only = ["--collector.disable-defaults"]
        other = pod.PinnedNamespace(netns_directory, "cni-2", cleanup)
        other.send_command("listen", 8080, 4)
        for name, value in (("tcp_syncookies", 2), ("tcp_abort_on_overflow", 1), ("tcp_max_syn_backlog", 64)):
            other.send_command("sysctl", f"net.ipv4.{name}", value)
        other.send_command("black_hole")
        for fault in ("ShortLivedListener 7100", "SlowReaders", "SynFlood 8443"):
            other.send_command("fault", fault)
        self.faults.append(other)
        self.start(
            "live",
            "--collector.tcp.cpu-budget=100%",
            "--collector.tcp.info=on",
            "--netns.discover=pinned",
            "--netns.max=2",
            f"--path.netns={netns_directory.path}",
            f"--path.pod-logs={directory}/pods",
        )
        self.start("proc", f"--path.procfs={procfs.directory}", *only, *procfs_collectors, "--collector.sysctl")
        self.start("broken", f"--path.procfs={directory}/broken", *only, "--collector.sockstat")
        self.start("ports", f"--path.procfs={few_ports.directory}", *only, "--collector.tcp", "--collector.ports")
        self.start("gone", *only, "--collector.sysctl")
        self.prometheus = Prometheus(directory, self.configuration())
        cleanup.callback(self.prometheus.stop)
        self.query = self.prometheus.query

    def lower_somaxconn(self, value):
        try:
            set_sysctl("net.core.somaxconn", value)
        except OSError as error:
            for metric in ("inetdiag_listener_backlog_capped", "inetdiag_sysctl_net_core_somaxconn"):
                self.unavailable[metric] = f"cannot set net.core.somaxconn: {error}"

    @contextlib.contextmanager
    def cgroup(self):
        """Moves this process to the cgroup of a systemd unit, if cgroups can be created."""
        mounts = [Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")]
        mount = next((m for m in mounts if (m / "cgroup.controllers").exists()), None)
        unit = f"scenario-{os.getpid()}.service"
        try:
            if mount is None:
                raise OSError("no cgroup v2 hierarchy")
            (mount / unit).mkdir()
            self.cleanup.callback((mount / unit).rmdir)
            own = re.search(r"^0::(.*)$", Path("/proc/self/cgroup").read_text(), re.M).group(1)
            (mount / unit / "cgroup.procs").write_text("0")
        except OSError as error:
            for metric in ("inetdiag_listener_info", "inetdiag_udp_info"):
                self.unavailable[metric] = f"cannot create a cgroup: {error}"
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
        exporter.wait_until_listening()
        self.running[name] = (exporter, arguments)

    def restart(self, name, *more):
        exporter, arguments = self.running[name]
        exporter.end()
        self.start(name, *arguments, *more, listen=f"127.0.0.1:{exporter.port}")
        self.running[name] = (self.running[name][0], arguments)

    def configuration(self):
        for file in ("rules.yaml", "alerts.yaml"):
            (self.directory / file).write_text(minutes_to_seconds((PROMETHEUS / file).read_text()))
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

    def restore_sockstat(self):
        self.sockstat.write_text("TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 1\n")

    def alerts(self, state=".+", since=None):
        """Returns (name, labels) of the alerts in a state, now or at any time since."""
        selector = f'ALERTS{{alertstate=~"{state}"}}'
        found = self.query(selector) if since is None else self.prometheus.query_range(selector, since, time.time())
        return [(series["metric"]["alertname"], series["metric"]) for series in found]

    def fired(self, since=None):
        """Returns (alert, label, value) for each label of the alerts that fired."""
        found = self.alerts("firing", self.begin if since is None else since)
        return {(name, label, labels.get(label)) for name, labels in found for label in labels}

    def run(self):
        injector = FaultInjector(self.faults)
        self.cleanup.callback(injector.stop)
        wait_until(
            "the quiet phase is longer than every range",
            lambda: len(self.query("count_over_time(up[7s]) >= 6 and min_over_time(up[7s]) == 1")) == 5,
            **PHASE_WAIT,
        )
        self.quiet_alerts = self.alerts()

        self.fault_begin = time.time()
        injector.is_active = True
        self.sockstat.unlink()
        self.restart("broken", "--no-sandbox")
        gone, arguments = self.running["gone"]
        gone.end()
        missing = self.expected()

        def all_fired():
            injector.raise_error()
            missing.difference_update(self.fired())
            return not missing

        try:
            wait_until("the expected alerts have fired", all_fired, **PHASE_WAIT)
        except AssertionError as error:
            raise AssertionError(f"never fired: {sorted(missing)}") from error

        self.recovery_begin = time.time()
        injector.is_active = False
        self.restore_sockstat()
        self.restart("broken")
        self.start("gone", *arguments, listen=f"127.0.0.1:{gone.port}")
        try:
            wait_until("all alerts are resolved", lambda: self.query("up") and not self.alerts(), **PHASE_WAIT)
        except AssertionError as error:
            raise AssertionError(f"never resolved: {self.alerts()}") from error
        injector.stop()
        self.end = time.time()

    def expected(self):
        impossible = ()
        if "inetdiag_listener_backlog_capped" in self.unavailable:
            impossible = ("InetdiagSomaxconnTooSmall", "InetdiagListenerBacklogTooSmall")
        if "inetdiag_qdisc_drops_total" in self.unavailable:
            impossible += ("InetdiagQdiscDrops",)
        return {expected for expected in EXPECTED if expected[0] not in impossible}

    def values(self, expression, start=None, end=None, **variables):
        """Returns all values of an expression. Dashboard variables default to "All"."""
        for variable, value in variables.items():
            expression = re.sub(rf"\${variable}\b", value, expression)
        for variable, value in (("__rate_interval", "5s"), ("job", "inetdiag")):
            expression = expression.replace(f"${variable}", value)
        expression = re.sub(r"\$(instance|address|port)\b", ".+", expression)
        expression = re.sub(r"\$(cluster|netns|pod_namespace|pod)\b", ".*", expression)
        assert not re.search(r"\$[a-z_]", expression), expression
        found = self.prometheus.query_range(expression, start or self.begin, end or self.end)
        return [float(value) for series in found for _, value in series["values"]]


class FaultInjector:
    """Injects or clears all faults five times a second."""

    def __init__(self, faults):
        self.faults = faults
        self.is_active = False
        self.error = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while not self._stop.wait(0.2):
                for fault in self.faults:
                    (fault.inject if self.is_active else fault.clear)()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def raise_error(self):
        if self.error:
            raise self.error

    def stop(self):
        self._stop.set()
        self._thread.join()
        self.raise_error()


@pytest.fixture(autouse=True)
def namespace():
    """All tests of this module are in the namespace of the scenario."""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory, request):
    enter_new_namespace()
    unshare_mounts()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        scenario = Scenario(tmp_path_factory.mktemp("scenario"), request.config.getoption("--exporter"), cleanup)
        scenario.run()
        yield scenario


def test_no_alert_in_the_quiet_phase(scenario):
    assert scenario.quiet_alerts == []


def test_expected_alerts_fire_and_no_others(scenario):
    fired = scenario.fired(scenario.fault_begin)
    names = {name for name, _, _ in fired}
    assert {name for name, _, _ in scenario.expected()} == names
    assert {a["alert"] for a in alerts()} - {name for name, _, _ in EXPECTED} == ONLY_IN_UNIT_TESTS
    for name in ("InetdiagListenerBacklogTooSmall", "InetdiagSomaxconnTooSmall", "InetdiagManyCloseWait"):
        ports = {value for alert, label, value in fired if (alert, label) == (name, "port")}
        assert ports == {value for alert, label, value in scenario.expected() if (alert, label) == (name, "port")}, name
    in_namespaces = {(name, label, value) for name, label, value in fired if label == "netns"}
    assert in_namespaces == {expected for expected in scenario.expected() if expected[1] == "netns"}


def test_no_alert_on_a_healthy_server(scenario):
    during = {"start": scenario.fault_begin, "end": scenario.recovery_begin}
    assert max(scenario.values('increase(inetdiag_listener_socket_drops_total{port="7002"}[5s])', **during)) > 10
    assert max(scenario.values('inetdiag_listener_listen_drops_total{port="7002"}', **during)) == 0
    assert max(scenario.values('inetdiag_tcp_port_sockets{port="7005",state="close_wait"}', **during)) >= 100
    alerts_of_healthy = [
        labels
        for _, labels in scenario.alerts("firing", scenario.fault_begin)
        if labels.get("port") in ("7002", "7005")
    ]
    assert alerts_of_healthy == []


def test_all_alerts_resolve(scenario):
    assert len(scenario.query("up == 1")) == 5
    assert scenario.alerts() == []


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_every_dashboard_query_returns_data(scenario, file):
    without_data = [
        location
        for location, expression in queries(load_dashboard(file))
        if not metrics_in(expression) & set(scenario.unavailable)
        and not any(math.isfinite(value) for value in scenario.values(expression))
    ]
    assert without_data == []


def panels_without_data(scenario, dashboard):
    """Returns {title: reason} of the panels of which no query can have data."""
    reasons = {}
    for panel in panels(dashboard):
        metrics = [metrics_in(target["expr"]) & set(scenario.unavailable) for target in panel.get("targets", [])]
        if metrics and all(metrics):
            reasons[panel["title"]] = scenario.unavailable[min(metrics[0])]
    return reasons


@pytest.fixture(scope="module")
def faults_of_drawings(scenario):
    """Draws all dashboards at the end of the phase with faults."""
    draw = ROOT / "tests" / "dashboards"
    if not shutil.which("node") or not shutil.which("chromium"):
        pytest.skip("node or chromium is not installed")
    if not (draw / "node_modules" / "@grafana" / "ui").exists():
        pytest.skip("no components of Grafana: run npm ci --ignore-scripts --prefix tests/dashboards")
    allowed = {file.stem: panels_without_data(scenario, load_dashboard(file)) for file in DASHBOARDS}
    allow_empty = scenario.directory / "allow_empty.json"
    allow_empty.write_text(json.dumps(allowed))
    command = ["node", draw / "draw.mjs", "--prometheus=http://127.0.0.1:9090", "--rate-interval=5s"]
    command += [f"--from={int(scenario.begin)}", f"--to={int(scenario.recovery_begin)}"]
    command += [f"--allow-empty={allow_empty}", f"--out={ROOT / 'tests' / 'results' / 'dashboards'}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert "dashboards drawn" in result.stdout, result.stderr
    return result.stdout.splitlines()


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_each_panel_is_drawn(faults_of_drawings, file):
    assert [fault for fault in faults_of_drawings if fault.startswith(f"{file.stem}: ")] == []


@pytest.mark.parametrize("name", ["overview", "pods"])
def test_finding_counts_rise_and_return_to_zero(scenario, name):
    for panel in panels(dashboard_named(name)):
        if panel["type"] == "stat":
            (expression,) = [target["expr"] for target in panel["targets"]]
            during = scenario.values(expression, scenario.fault_begin, scenario.recovery_begin)
            after = scenario.values(expression, scenario.end, scenario.end)
            assert max(during) > 0 and after == [0], panel["title"]


# Panels that show nodes instead of pods.
NODE_PANELS = {"Limits of the node", "Discovered and skipped", "Skipped", "Collection"}


def test_pod_dashboard_selects_by_pod(scenario):
    if scenario.cgroups is None:
        pytest.skip(scenario.unavailable["inetdiag_listener_info"])
    for panel in panels(dashboard_named("pods")):
        for target in panel["targets"] if panel["title"] not in NODE_PANELS else []:
            location = f"{panel['title']} {target['refId']}"
            unknown_pod = scenario.values(target["expr"], pod="unknown")
            assert not any(math.isfinite(value) and value for value in unknown_pod), location
            if panel["title"] != "Limits that differ from the node":  # this pod changes one limit only
                selected = scenario.values(target["expr"], pod_namespace=pod.NAMESPACE, pod=pod.NAME)
                assert any(math.isfinite(value) for value in selected), location


def test_every_variable_has_values(scenario):
    for file in DASHBOARDS:
        for variable in load_dashboard(file)["templating"]["list"]:
            if variable["type"] == "query":
                selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]).groups()
                assert scenario.values(f"count by ({label}) ({selector})"), variable["name"]


def test_alerts_name_the_systemd_unit_of_a_listener(scenario):
    if "inetdiag_listener_info" in scenario.unavailable:
        pytest.skip(scenario.unavailable["inetdiag_listener_info"])
    units = {
        (name, labels.get("port")): labels.get("unit")
        for name, labels in scenario.alerts("firing", scenario.fault_begin)
        if "netns" not in labels
    }
    assert units["InetdiagListenerDrops", "8080"] == scenario.unit
    assert units["InetdiagListenerDrops", "9000"] is None


def test_only_pod_alerts_have_pod_labels(scenario):
    if scenario.cgroups is None:
        pytest.skip(scenario.unavailable["inetdiag_listener_info"])
    for name, labels in scenario.alerts("firing", scenario.fault_begin):
        expected = (pod.NAMESPACE, pod.NAME) if labels.get("netns") == pod.NETNS else (None, None)
        assert (labels.get("pod_namespace"), labels.get("pod_name")) == expected, name


def test_alerts_distinguish_backlog_and_somaxconn(scenario):
    if "inetdiag_listener_backlog_capped" in scenario.unavailable:
        pytest.skip(scenario.unavailable["inetdiag_listener_backlog_capped"])
    fired = scenario.fired(scenario.fault_begin)
    assert ("InetdiagListenerBacklogTooSmall", "port", "8080") in fired
    assert ("InetdiagSomaxconnTooSmall", "port", "9000") in fired


def test_every_recording_rule_has_values(scenario):
    for name in recorded_metrics():
        assert scenario.values(name), name
