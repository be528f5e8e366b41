"""What happens to accept queues between scrapes."""

import re
import socket
import threading
import time
from pathlib import Path

import pytest

from conftest import connect_without_waiting, listen

SAMPLED = "inetdiag_listener_accept_queue_sampled_fill_ratio"


def labels(server):
    return f'address="127.0.0.1",port="{server.getsockname()[1]}"'


def samples(exporter, server):
    """Returns {bound: samples at or below it}, the peak, and the seconds that connections waited."""
    series = exporter.series()
    found = {}
    for name, value in series.items():
        if match := re.fullmatch(rf'{SAMPLED}_bucket{{{labels(server)},le="(.*)"}}', name):
            found[float(match.group(1).replace("+Inf", "inf"))] = value
    peak = series.get(f"inetdiag_listener_accept_queue_peak_fill_ratio{{{labels(server)}}}")
    waited = series.get(f"inetdiag_listener_accept_queue_waiting_seconds_total{{{labels(server)}}}")
    return found, peak, waited


def queue_length(exporter, server):
    return exporter.series()[f"inetdiag_listener_accept_queue_length{{{labels(server)}}}"]


def burst(server, clients, seconds):
    """Lets clients connect, and accepts them later."""
    connecting = connect_without_waiting(server.getsockname()[1], clients)
    time.sleep(seconds)
    accepted = [server.accept()[0] for _ in range(clients)]
    for connection in connecting + accepted:
        connection.close()


def test_a_burst_of_two_seconds_between_two_scrapes(namespace, start):
    server = listen(backlog=16)
    exporter = start()
    assert queue_length(exporter, server) == 0
    assert samples(exporter, server) == ({}, None, None)
    burst(server, 17, 2)
    assert queue_length(exporter, server) == 0
    found, peak, waited = samples(exporter, server)
    assert peak == 1
    # 17 connections for two seconds, as the machine's load allows.
    assert waited == pytest.approx(34, rel=0.25)
    full = found[float("inf")] - found[0.99]
    assert full >= 3
    assert full / found[float("inf")] > 0.5  # samples begin with the burst
    assert list(found) == sorted(found) and list(found.values()) == sorted(found.values())


def test_a_burst_that_fills_a_quarter_of_the_queue(namespace, start):
    server = listen(backlog=127)
    exporter = start()
    queue_length(exporter, server)
    burst(server, 32, 1)
    found, peak, _ = samples(exporter, server)
    assert peak == 0.25
    assert found[0.25] == found[float("inf")] > found[0]


def test_an_idle_listener_has_no_samples(namespace, start):
    server = listen(backlog=16)
    exporter = start()
    exporter.page()
    client = socket.create_connection(server.getsockname())
    connection = server.accept()[0]
    time.sleep(0.2)
    found, peak, _ = samples(exporter, server)
    assert peak in (None, 1 / 17)  # a sample can have seen the moment before accept()
    client.close()
    connection.close()
    assert not found or found[0.25] == found[float("inf")]


def test_no_sampling_with_an_interval_of_0(namespace, start):
    server = listen(backlog=16)
    exporter = start("--collector.listeners.sample-interval=0")
    threads = Path(f"/proc/{exporter.process.pid}/task")
    exporter.page()
    before = len(list(threads.iterdir()))
    burst(server, 17, 0.3)
    assert SAMPLED not in exporter.page()
    assert len(list(threads.iterdir())) <= before


def test_two_prometheus_servers_see_the_same_samples(namespace, start):
    server = listen(backlog=16)
    exporter = start()
    queue_length(exporter, server)
    stopped = threading.Event()

    def scrape_often():
        while not stopped.is_set():
            exporter.page()

    other = threading.Thread(target=scrape_often)
    other.start()
    burst(server, 17, 1)
    stopped.set()
    other.join()
    found, peak, waited = samples(exporter, server)
    assert peak == 1
    assert waited == pytest.approx(17, rel=0.5)
    assert found[float("inf")] > found[0.99]
