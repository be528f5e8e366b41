"""HTTP responses, startup and shutdown."""

import gzip
import json
import os
import re
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import series_of, wait_until


def test_head_has_the_headers_of_get(start):
    exporter = start()
    status, headers, body = exporter.get(method="HEAD")
    assert (status, body) == (200, b"")
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert int(headers["Content-Length"]) > 1000


def test_gzip_has_the_same_content(start):
    exporter = start("--collector.disable-defaults", "--collector.sysctl", "--web.disable-exporter-metrics")
    _, headers, body = exporter.get(headers={"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    compressed = series_of(gzip.decompress(body).decode())
    plain = exporter.series()
    assert compressed.keys() == plain.keys()
    _, headers, _ = exporter.get(headers={"Accept-Encoding": "gzip;q=0"})
    assert headers["Content-Encoding"] is None


def test_collect_and_exclude(start):
    exporter = start()
    only = series_of(exporter.page("/metrics?collect[]=tcp&collect[]=sysctl"))
    collectors = {s for s in only if s.startswith("inetdiag_scrape_collector_success")}
    assert collectors == {f'inetdiag_scrape_collector_success{{collector="{c}"}}' for c in ("tcp", "sysctl")}
    without = series_of(exporter.page("/metrics?exclude[]=nstat"))
    assert not any(s.startswith("inetdiag_nstat_") for s in without)


@pytest.mark.parametrize(
    "path, method, status, text",
    [
        ("/metrics?collect[]=nope", "GET", 400, "unknown collector: 'nope'"),
        ("/metrics?collect[]=tcp", "GET", 400, "disabled collector: 'tcp'"),
        ("/metrics?collect[]=nstat&exclude[]=nstat", "GET", 400, "cannot be combined"),
        ("/nothing", "GET", 404, "/metrics"),
        ("/metrics/", "GET", 404, "/metrics"),
        ("/..%2fetc/passwd", "GET", 404, "/metrics"),
        ("/metrics", "POST", 405, "GET or HEAD"),
        ("/", "DELETE", 405, "GET or HEAD"),
        ("/metrics", "OPTIONS", 405, "GET or HEAD"),
    ],
)
def test_error_responses_give_the_reason(start, path, method, status, text):
    exporter = start("--no-collector.tcp")
    actual_status, _, body = exporter.get(path, method=method)
    assert actual_status == status
    assert text in body.decode()


def test_no_cors_headers(start):
    exporter = start()
    preflight = {"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"}
    for method in ("GET", "OPTIONS"):
        _, headers, _ = exporter.get(headers=preflight, method=method)
        assert headers["Access-Control-Allow-Origin"] is None


def test_health_and_status_page(start):
    exporter = start()
    assert exporter.get("/-/healthy")[0] == 200
    assert exporter.get("/-/ready")[0] == 200
    status, headers, body = exporter.get("/")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert b'href="/metrics"' in body and b"listeners" in body


def test_an_invalid_scrape_timeout_is_rejected(start):
    status, _, body = start().get(headers={"X-Prometheus-Scrape-Timeout-Seconds": "soon"})
    assert status == 400
    assert b"not a positive number of seconds" in body


def test_a_very_short_scrape_timeout_yields_a_page(start):
    exporter = start()
    status, _, body = exporter.get(headers={"X-Prometheus-Scrape-Timeout-Seconds": "0.000001"})
    assert status == 200
    series = series_of(body.decode())
    successes = [v for s, v in series.items() if s.startswith("inetdiag_scrape_collector_success")]
    assert 0 in successes
    assert "inetdiag_exporter_build_info" in body.decode()


def test_multiple_listen_addresses(start):
    exporter = start("--web.listen-address=[127.0.0.2]:10046", listen="127.0.0.1:10045")
    for address in (("127.0.0.1", 10045), ("127.0.0.2", 10046)):
        with socket.create_connection(address) as client:
            client.sendall(b"GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
    assert exporter.log.count("msg=listening") == 2


def test_a_port_in_use_fails_with_one_line(start, run):
    exporter = start()
    result = run(f"--web.listen-address=127.0.0.1:{exporter.port}")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "Address already in use" in result.stderr
    assert "--web.listen-address" in result.stderr


def test_ipv4_and_ipv6_at_once(start, run):
    exporter = start("--web.listen-address=[::1]:0", "--collector.disable-defaults", "--collector.sysctl")
    wait_until("the second address is logged", lambda: exporter.log.count("listening") == 2)
    ipv6_address = re.search(r"http://(\[::1\]:\d+)/", exporter.log)[1]
    request = urllib.request.Request(f"http://{ipv6_address}/metrics", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as response:
        page = gzip.decompress(response.read()).decode()
    assert series_of(page).keys() == exporter.series().keys()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://{ipv6_address}/nothing")

    result = run(f"--web.listen-address={ipv6_address}")
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"cannot listen on {ipv6_address}: Address already in use" in result.stderr


def test_many_addresses(start):
    many = [f"--web.listen-address=127.0.1.{i}:10045" for i in range(1, 71)]
    exporter = start(*many, listen="[::1]:0")
    wait_until("every address is logged", lambda: exporter.log.count("listening") == 71)
    (ipv6_url,) = re.findall(r"http://\[::1\]:\d+/", exporter.log)
    for url in (ipv6_url, "http://127.0.1.70:10045/"):
        with urllib.request.urlopen(f"{url}-/healthy") as response:
            assert response.status == 200


def test_an_idle_exporter_has_few_threads(start):
    exporter = start()
    with ThreadPoolExecutor(40) as pool:
        assert set(pool.map(lambda _: exporter.get("/-/healthy")[0], range(200))) == {200}
    assert len(os.listdir(f"/proc/{exporter.process.pid}/task")) <= 24


def test_more_addresses_than_descriptors_are_an_error(binary):
    many = [f"--web.listen-address=127.0.1.{i}:10045" for i in range(1, 71)]
    result = subprocess.run(
        ["prlimit", "--nofile=100:100", binary, *many], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 1
    assert "cannot serve with 100 descriptors; raise the limit" in result.stderr


def test_an_invalid_flag_is_named(run):
    result = run("--collector.listeners.max=many")
    assert result.returncode == 1
    assert "--collector.listeners.max: 'many' is not a whole number" in result.stderr
    assert result.stdout == ""


def test_json_logs(start):
    exporter = start("--log.format=json", "--log.level=debug")
    _, log = exporter.end()
    lines = [json.loads(line) for line in log.splitlines()]
    messages = [line["msg"] for line in lines if line["level"] == "info"]
    # The sandbox depends on the kernel and the build.
    messages = [message for message in messages if message != "sandbox only partially applied"]
    assert messages == ["listening", "stopping", "stopped"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_shuts_down_cleanly(start, number):
    status, log = start().end(number)
    assert status == 0
    assert "msg=stopped" in log
    assert f"signal={number.name}" in log


def test_a_signal_shuts_down_during_scrapes_and_with_silent_clients(start):
    exporter = start()
    silent = [socket.create_connection(("127.0.0.1", exporter.port)) for _ in range(4)]
    stopped = threading.Event()

    def scrape_until_stopped():
        while not stopped.is_set():
            try:
                exporter.get()
            except OSError:
                return

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(scrape_until_stopped)
        try:
            assert exporter.get()[0] == 200
            status, _ = exporter.end()
        finally:
            stopped.set()
    assert status == 0
    for client in silent:
        client.close()


def test_responses_during_shutdown_are_complete_or_absent(start):
    exporter = start()

    def scrape(_):
        try:
            status, headers, body = exporter.get()
        except OSError:
            return None
        assert len(body) == int(headers["Content-Length"])
        return status

    with ThreadPoolExecutor(8) as pool:
        statuses = pool.map(scrape, range(200))
        assert exporter.get()[0] == 200
        status, log = exporter.end()
        assert set(statuses) <= {200, 503, None}
    assert status == 0
    assert "msg=stopped" in log
    assert "level=error" not in log


def test_concurrent_scrapes(start):
    exporter = start()
    paths = ["/metrics", "/metrics?collect[]=tcp", "/metrics?exclude[]=nstat", "/", "/metrics?collect[]=listeners"]

    def scrape(i):
        gzipped = {"Accept-Encoding": "gzip"} if i % 2 else {}
        return exporter.get(paths[i % len(paths)], headers=gzipped)[0]

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(scrape, range(200))) == {200}
    status, log = exporter.end()
    assert status == 0
    assert "WARNING: ThreadSanitizer" not in log


def test_concurrent_scrapes_are_limited(start):
    exporter = start("--web.max-requests=1")
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: exporter.get()[0], range(100)))
    assert set(statuses) == {200, 503}


def test_requests_are_counted_as_by_promhttp(start):
    exporter = start()
    assert exporter.get("/-/healthy")[0] == 200
    assert exporter.get("/metrics?collect[]=nope")[0] == 400
    exporter.page()
    series = {s: v for s, v in exporter.series().items() if s.startswith("promhttp_")}
    assert series == {
        "promhttp_metric_handler_requests_in_flight": 1,
        'promhttp_metric_handler_requests_total{code="200"}': 1,
        'promhttp_metric_handler_requests_total{code="400"}': 1,
        'promhttp_metric_handler_requests_total{code="500"}': 0,
        'promhttp_metric_handler_requests_total{code="503"}': 0,
    }
    assert "promhttp" not in start("--web.disable-exporter-metrics").page()


def test_flags_without_effect_are_logged(start):
    exporter = start("--statsd.interval=1s", "--collector.tcp.max-ports=5", "--no-collector.tcp")
    assert 'flags=--statsd.interval reason="--statsd.address is not given"' in exporter.log
    assert 'flags=--collector.tcp.max-ports reason="the collector is not enabled"' in exporter.log
