"""Prometheus servers that scrape simulated hosts, and what they cost."""

import contextlib
import json
import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import processes
from subjects import cpu_clock

START_TIMEOUT = 60
QUERY_TIMEOUT = 300

CONFIGURATION = """\
global:
  scrape_interval: {interval}s
  scrape_timeout: {interval}s
  evaluation_interval: {evaluation}s
  external_labels: {{server: fleet}}
rule_files: {rules}
scrape_configs:
  - job_name: {job}
    file_sd_configs: [{{files: [targets.json]}}]
"""


class Prometheus:
    """A server that keeps its files in `directory`."""

    def __init__(self, process, port, directory):
        self._process = process
        self._url = f"http://127.0.0.1:{port}"
        self._directory = directory
        self._clock = cpu_clock(process.pid)

    def _get(self, path, data=None, **parameters):
        url = f"{self._url}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, data=data, timeout=QUERY_TIMEOUT) as response:
            return response.read()

    def wait_until_ready(self):
        end = time.monotonic() + START_TIMEOUT
        while True:
            try:
                self._get("/-/ready")
                return
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > end or self._process.poll() is not None:
                    log = (self._directory / "log").read_text(encoding="utf-8")
                    raise RuntimeError(f"Prometheus did not start: {log[-1000:]}") from None
                time.sleep(0.05)

    def stop(self):
        processes.terminate(self._process)

    def cpu(self):
        return time.clock_gettime(self._clock)

    def resident(self):
        """Returns the resident memory in bytes."""
        with open(f"/proc/{self._process.pid}/statm", encoding="utf-8") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def own_metrics(self):
        """Returns {series: value} of the server itself."""
        lines = (line for line in self._get("/metrics").decode().splitlines() if not line.startswith("#"))
        return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines)}

    def query(self, expression):
        """Returns the value of an expression with one series at most, or None."""
        result = json.loads(self._get("/api/v1/query", query=expression))["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    def query_seconds(self, expression, window=None, steps=0):
        """Returns (seconds of one query, number of series); with a window a range query of that many steps."""
        now = time.time()
        parameters = {"query": expression}
        if window:
            parameters |= {"start": now - window, "end": now, "step": window / steps}
        path = "/api/v1/query_range" if window else "/api/v1/query"
        begin = time.monotonic()
        body = self._get(path, **parameters)
        seconds = time.monotonic() - begin
        return seconds, len(json.loads(body)["data"]["result"])

    def rule_seconds(self):
        """Returns (seconds of the last evaluation, name) of each rule, the most expensive first."""
        groups = json.loads(self._get("/api/v1/rules"))["data"]["groups"]
        rules = ((rule["evaluationTime"], rule["name"], rule["health"]) for group in groups for rule in group["rules"])
        return sorted(rules, reverse=True)

    def samples_in_head(self):
        return sum_of(self.own_metrics(), "prometheus_tsdb_head_samples_appended_total")

    def wal_bytes(self):
        return _size(self._directory / "data/wal") + _size(self._directory / "data/chunks_head")

    def block_bytes(self):
        """Writes the head to a block. Returns the bytes of its samples and of its index."""
        name = json.loads(self._get("/api/v1/admin/tsdb/snapshot", data=b""))["data"]["name"]
        blocks = list((self._directory / "data/snapshots" / name).iterdir())
        return sum(_size(block / "chunks") for block in blocks), sum(_size(block / "index") for block in blocks)


def sum_of(metrics, name):
    """Returns the sum of the series with this name."""
    return sum(value for series, value in metrics.items() if series.partition("{")[0] == name)


def cpu_of(process):
    """Returns the CPU seconds of a process."""
    return time.clock_gettime(cpu_clock(process.pid))


def _size(path):
    files = [path] if path.is_file() else (file for file in path.rglob("*") if file.is_file())
    return sum(file.stat().st_size for file in files)


def targets(kind, hosts, page_port):
    """The simulated hosts as a file of targets: one address, a path for each."""
    return [
        {
            "targets": [f"127.0.0.1:{page_port}"],
            "labels": {"__metrics_path__": f"/{kind}/{number}", "instance": f"host-{number}.example.org:10045"},
        }
        for number in range(hosts)
    ]


@contextlib.contextmanager
def server(directory, port, intervals, job, targets_, rules=()):
    """Runs a Prometheus that scrapes these targets. `intervals` are those of scrapes and of rules."""
    directory.mkdir()
    (directory / "targets.json").write_text(json.dumps(targets_), encoding="utf-8")
    configuration = CONFIGURATION.format(**intervals, job=job, rules=json.dumps([str(rule) for rule in rules]))
    (directory / "prometheus.yml").write_text(configuration, encoding="utf-8")
    command = ["prometheus", f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/data"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--web.enable-admin-api", "--query.max-samples=500000000"]
    with open(directory / "log", "w", encoding="utf-8") as log:
        with processes.running(command, stdout=log, stderr=subprocess.STDOUT) as process:
            prometheus = Prometheus(process, port, pathlib.Path(directory))
            prometheus.wait_until_ready()
            yield prometheus
