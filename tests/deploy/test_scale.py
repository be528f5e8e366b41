"""The configurations for many hosts: shards share the targets, an agent forwards what it scrapes."""

import collections
import contextlib
import http.server
import json
import re
import socket
import sys
import threading
import urllib.parse

import pytest
import yaml

from tools import ROOT, get, get_when_up, output, running, wait_until

sys.path.append(str(ROOT / "tests/e2e"))

from rules_and_dashboards import DASHBOARDS, alerts, load_dashboard, metrics_in, queries, rules  # noqa: E402

SCALE = ROOT / "deploy/prometheus/scale"
SHARDS = 3
HOSTS = 24


def configuration(name):
    return yaml.safe_load((SCALE / f"{name}.yaml").read_text())


@pytest.fixture(autouse=True)
def in_own_network(network):
    """Ports and counters of other programs do not matter."""


@pytest.mark.parametrize("name, flags", [("shard", []), ("agent", ["--agent"]), ("lean", [])])
def test_promtool_accepts(name, flags, tmp_path):
    text = (SCALE / f"{name}.yaml").read_text()
    # promtool reads the files of rules and targets, too.
    for file in ("rules.yaml", "alerts.yaml"):
        (tmp_path / file).write_text((ROOT / "deploy/prometheus" / file).read_text())
    (tmp_path / "targets.yaml").write_text((ROOT / "deploy/prometheus/scrape/targets.yaml").read_text())
    (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus", str(tmp_path)))
    output("promtool", "check", "config", *flags, tmp_path / "prometheus.yml")


class Hosts(http.server.ThreadingHTTPServer):
    """Simulated exporters: a page at each path, and who scraped it."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Page)
        self.scrapes = collections.defaultdict(set)  # path: User-Agent and shard of its scrapers

    @property
    def address(self):
        return f"127.0.0.1:{self.server_port}"


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        self.server.scrapes[url.path].add(urllib.parse.parse_qs(url.query)["shard"][0])
        body = b'inetdiag_listener_accept_queue_fill_ratio{address="[::]",port="80"} 0.5\ninetdiag_tcp_orphans 0\n'
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hosts():
    with Hosts() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def with_targets(config, targets, shard):
    """Scrapes these targets every second, and names the shard in the request."""
    config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
    (job,) = config["scrape_configs"]
    del job["file_sd_configs"]
    job |= {"static_configs": targets, "params": {"shard": [shard]}}
    return config


@contextlib.contextmanager
def prometheus(directory, config, *flags, storage="tsdb"):
    """Runs a Prometheus. Yields its URL."""
    directory.mkdir()
    (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
    url = f"127.0.0.1:{free_port()}"
    command = ["prometheus", f"--config.file={directory}/prometheus.yml", f"--storage.{storage}.path={directory}/data"]
    with running(*command, f"--web.listen-address={url}", *flags) as process:
        get_when_up(process, f"http://{url}/-/ready")
        yield f"http://{url}"


def query(url, expression):
    body = get(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
    return json.loads(body)["data"]["result"] if body else []


def targets_of(hosts):
    """The hosts as static configurations: the shard depends on the address, so each host has a name of its own."""
    return [{"targets": [f"host-{number}:{hosts.server_port}"]} for number in range(HOSTS)]


def shard_configuration(hosts, number):
    """The configuration of one shard, as its comment says: both places marked "shard" are edited."""
    text, edits = re.subn(r'"0" # shard$', f'"{number}"', (SCALE / "shard.yaml").read_text(), flags=re.M)
    assert edits == 2
    config = yaml.safe_load(text) | {"rule_files": []}
    config = with_targets(config, targets_of(hosts), str(number))
    # After the choice of the shard: names of simulated hosts are paths of one server.
    config["scrape_configs"][0]["relabel_configs"] += [
        {"source_labels": ["__address__"], "regex": "(.*):.*", "target_label": "__metrics_path__", "replacement": "/$1"},
        {"source_labels": ["__address__"], "target_label": "instance"},
        {"target_label": "__address__", "replacement": hosts.address},
    ]
    return config


def test_each_host_is_scraped_by_exactly_one_shard(hosts, tmp_path):
    assert configuration("shard")["scrape_configs"][0]["relabel_configs"][0]["modulus"] == SHARDS
    with contextlib.ExitStack() as stack:
        urls = [
            stack.enter_context(prometheus(tmp_path / str(number), shard_configuration(hosts, number)))
            for number in range(SHARDS)
        ]
        wait_until("all hosts are scraped", lambda: len(hosts.scrapes) == HOSTS)
        # A server scrapes each of its targets within an interval.
        wait_until("each shard has samples of all its targets", lambda: sum(up(url) for url in urls) == HOSTS)
    assert {len(shards) for shards in hosts.scrapes.values()} == {1}
    assert {shard for shards in hosts.scrapes.values() for shard in shards} == {str(n) for n in range(SHARDS)}


def up(url):
    return len(query(url, "up == 1"))


def test_a_host_with_too_many_series_fails_its_scrape(hosts, tmp_path):
    config = shard_configuration(hosts, 0)
    config["scrape_configs"][0]["sample_limit"] = 1  # pages have two
    with prometheus(tmp_path / "server", config) as url:
        wait_until("hosts are down", lambda: query(url, "up == 0"))
        assert "sample limit exceeded" in get(f"{url}/api/v1/targets")
        assert query(url, "inetdiag_tcp_orphans") == []


def test_an_agent_forwards_to_a_receiver(hosts, tmp_path):
    receiver = {"global": {"scrape_interval": "1h"}}
    with prometheus(tmp_path / "receiver", receiver, "--web.enable-remote-write-receiver") as url:
        config = with_targets(configuration("agent"), [{"targets": [hosts.address]}], "agent")
        (remote,) = config["remote_write"]
        remote["url"] = f"{url}/api/v1/write"
        with prometheus(tmp_path / "agent", config, "--enable-feature=agent", storage="agent"):
            found = wait_until("samples arrive", lambda: query(url, "inetdiag_listener_accept_queue_fill_ratio"))
    (series,) = found
    assert series["value"][1] == "0.5"
    labels = {"job": "inetdiag", "cluster": "here", "port": "80", "instance": hosts.address}
    assert labels.items() <= series["metric"].items()


def relabeled(config, name):
    """Whether Prometheus keeps a series of this name after metric_relabel_configs."""
    labels = {"__name__": name}
    for step in config["scrape_configs"][0]["metric_relabel_configs"]:
        value = ";".join(labels.get(source, "") for source in step["source_labels"])
        if re.fullmatch(step["regex"], value):
            if step.get("action") == "drop":
                return False
            labels[step["target_label"]] = step["replacement"]
    return True


def used_metrics():
    expressions = [rule["expr"] for rule in rules("rules.yaml") + alerts()]
    expressions += [expression for file in DASHBOARDS for _, expression in queries(load_dashboard(file))]
    return {name for expression in expressions for name in metrics_in(expression)}


def test_lean_keeps_what_rules_alerts_and_dashboards_use():
    config = configuration("lean")
    assert [name for name in sorted(used_metrics()) if not relabeled(config, name)] == []


def test_lean_drops_all_other_counters_of_the_kernel():
    config = configuration("lean")
    page = (ROOT / "tests/e2e/golden.prom").read_text()
    counters = set(re.findall(r"^# TYPE (inetdiag_nstat_\w+)", page, re.M))
    kept = {name for name in counters if relabeled(config, name)}
    assert counters > kept
    assert kept == counters & used_metrics()


def test_rules_work_within_one_host():
    """So each shard can evaluate them. What aggregates over hosts is an alert about the server itself."""
    about_the_server = {"InetdiagExporterAbsent", "InetdiagRecordingRulesMissing"}
    for rule in rules("rules.yaml") + alerts():
        if rule.get("alert") in about_the_server:
            continue
        for operator, clause in re.findall(r"\b(sum|min|max|avg|count|topk|absent)\b\s*(\w*)\s*\(", rule["expr"]):
            assert clause == "without", (rule.get("record") or rule["alert"], operator)
        for labels in re.findall(r"\bwithout\s*\(([^)]*)\)", rule["expr"]):
            assert not {"job", "instance"} & set(re.findall(r"\w+", labels)), rule
        for labels in re.findall(r"\bignoring\s*\(([^)]*)\)", rule["expr"]):
            assert not {"job", "instance"} & set(re.findall(r"\w+", labels)), rule
        assert not re.search(r"\bon\s*\(", rule["expr"]), rule
