"""A real Prometheus scrapes the exporter and answers for each family."""

import pytest

from conftest import connect_without_waiting, families_of, listen, wait_until
from prometheus_server import Prometheus

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
        running.append(Prometheus(tmp_path, CONFIGURATION.format(port=port, how=how)))
        return running[0].ask

    yield start
    for server in running:
        server.end()


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
