"""A real Prometheus scrapes the exporter and answers for each family."""

import json
import subprocess
import urllib.parse
import urllib.request

import pytest

from conftest import connect_without_waiting, families_of, listen, wait_until

CONFIGURATION = """
global: {{scrape_interval: 2s, scrape_timeout: 2s}}
scrape_configs:
  - job_name: inetdiag
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
    {how}
"""


@pytest.fixture
def prometheus(tmp_path):
    """Starts a Prometheus that scrapes this port, `how` being more of its job; yields a function that
    asks it."""
    running = []

    def start(port, how=""):
        (tmp_path / "prometheus.yml").write_text(CONFIGURATION.format(port=port, how=how))
        log = open(tmp_path / "log", "w", encoding="utf-8")
        running.append(
            subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={tmp_path}/prometheus.yml",
                    f"--storage.tsdb.path={tmp_path}/data",
                    "--web.listen-address=127.0.0.1:9090",
                ],
                stdout=log,
                stderr=log,
            )
        )

        def ask(query):
            url = "http://127.0.0.1:9090/api/v1/query?" + urllib.parse.urlencode({"query": query})
            try:
                with urllib.request.urlopen(url, timeout=60) as response:
                    return json.load(response)["data"]["result"]
            except OSError:
                return []

        return ask

    yield start
    for process in running:
        process.terminate()
        process.wait(timeout=60)


def test_prometheus_answers_for_every_family(start, prometheus):
    server = listen(backlog=2)
    port = server.getsockname()[1]
    clients = connect_without_waiting(port, 6)
    exporter = start()
    families = families_of(exporter.page())
    ask = prometheus(exporter.port)
    wait_until("Prometheus has scraped", lambda: ask("up{job='inetdiag'} == 1"))
    known = {r["metric"]["__name__"] for r in ask("{job='inetdiag'}")}
    assert set(families) <= known
    for family in families:
        assert ask(f"count({family})"), family

    full = ask("inetdiag_listener_accept_queue_fill_ratio >= 1")
    assert [(r["metric"]["address"], r["metric"]["port"]) for r in full] == [("127.0.0.1", str(port))]
    assert len(clients) == 6
