"""A Prometheus server scrapes the exporter and stores every family."""

import pytest

from conftest import connect_without_waiting, families_of, listen, wait_until
from prometheus_server import Prometheus

CONFIGURATION = """
global: {{scrape_interval: 2s, scrape_timeout: 2s}}
scrape_configs:
  - job_name: inetdiag
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
    {job_settings}
"""


@pytest.fixture
def prometheus(tmp_path):
    """Starts a Prometheus that scrapes a port with additional settings of the job. Returns its query function."""
    running = []

    def start(port, job_settings=""):
        running.append(Prometheus(tmp_path, CONFIGURATION.format(port=port, job_settings=job_settings)))
        return running[0].query

    yield start
    for server in running:
        server.stop()


def test_prometheus_stores_every_family(start, prometheus):
    server = listen(backlog=2)
    port = server.getsockname()[1]
    clients = connect_without_waiting(port, 6)
    exporter = start()
    families = families_of(exporter.page())
    query = prometheus(exporter.port)
    wait_until("Prometheus has scraped", lambda: query("up{job='inetdiag'} == 1"))
    stored = {r["metric"]["__name__"] for r in query("{job='inetdiag'}")}
    assert set(families) <= stored
    for family in families:
        assert query(f"count({family})"), family

    full = query("inetdiag_listener_accept_queue_fill_ratio >= 1")
    assert [(r["metric"]["address"], r["metric"]["port"]) for r in full] == [("127.0.0.1", str(port))]
    assert len(clients) == 6
