"""Ephemeral ports of outgoing connections, compared with ss and with what connect() says."""

import errno
import json
import socket
import subprocess

import pytest

from conftest import listen, wait_until
from fault_injection import set_sysctl

FILL = "inetdiag_ephemeral_ports_fill_ratio"
BUDGET = "--collector.tcp.cpu-budget=100%"
OUTSIDE = "127.0.0.1:10045"  # not in the range
USABLE = "inetdiag_ephemeral_ports_usable"


def used(source, destination):
    return f'inetdiag_ephemeral_ports_used{{source="{source}",destination="{destination}"}}'


def connections(source, destination, state="all"):
    """Returns what ss counts."""
    filters = ["state", state, "src", source, "and", "dst", destination]
    return len(subprocess.run(["ss", "-Htan", *filters], capture_output=True, text=True, check=True).stdout.splitlines())


def connect_until_exhausted(address, port, family=socket.AF_INET, source=None):
    """Connects until connect() fails for lack of a port. Returns the clients."""
    clients = []
    while len(clients) < 1000:
        client = socket.socket(family)
        if source:
            client.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            client.bind((source, 0))
        try:
            client.connect((address, port))
        except OSError as error:
            client.close()
            assert error.errno == errno.EADDRNOTAVAIL
            return clients
        clients.append(client)
    raise AssertionError("connect() did not fail")


def accept_all(server, clients):
    return [server.accept()[0] for _ in clients]


@pytest.fixture
def ports():
    """Sixty ports without a reserved one. Of an odd number, connect() would miss one that differs between calls."""
    set_sysctl("net.ipv4.ip_local_port_range", "40000 40059")
    set_sysctl("net.ipv4.ip_local_reserved_ports", "40007")
    return 59


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_all_ports_to_a_destination_are_in_use_when_connect_fails(start, ports, address):
    server = listen("0.0.0.0" if address == "127.0.0.1" else "::", 8080, backlog=100)
    exporter = start("--collector.ports.destinations=2", BUDGET, listen=OUTSIDE)
    assert exporter.series()[FILL] == pytest.approx(1 / ports)  # the scrape's connection
    clients = connect_until_exhausted(address, 8080, socket.AF_INET if address == "127.0.0.1" else socket.AF_INET6)
    series = exporter.series()
    assert series[FILL] == 1
    assert series[USABLE] == len(clients) == ports
    shown = "[::1]" if address == "::1" else "127.0.0.1"
    assert series[used(shown, f"{shown}:8080")] == ports
    clients.pop().close()
    server.accept()[0].close()


def test_each_source_address_and_each_destination_has_all_ports(start, run, ports):
    server = listen("0.0.0.0", 8080, backlog=200)
    clients = connect_until_exhausted("127.0.0.1", 8080, source="127.0.0.1")
    accepted = accept_all(server, clients)
    clients += connect_until_exhausted("127.0.0.1", 8080, source="127.0.0.5")[:10]
    clients += [socket.create_connection(("127.0.0.9", 8080)) for _ in range(3)]
    series = start("--collector.ports.destinations=10", BUDGET, listen=OUTSIDE).series()
    assert series[used("127.0.0.1", "127.0.0.1:8080")] == connections("127.0.0.1", "127.0.0.1:8080") == ports
    assert series[used("127.0.0.1", "127.0.0.9:8080")] == connections("127.0.0.1", "127.0.0.9:8080") == 3
    assert series[FILL] == 1
    lines = run("sockets", "--top=destination").stdout.splitlines()
    assert lines[0].split() == ["AT", "MOST", "AT", "LEAST", "FILL", "SOURCE", "DESTINATION"]
    assert lines[1].split() == ["59", "59", "100.0%", "127.0.0.1", "127.0.0.1:8080"]
    assert lines[-1] == "59 usable ports (net.ipv4.ip_local_port_range)"
    document = json.loads(run("sockets", "--top=destination", "--top-count=1", "--format=json").stdout)
    assert document == {
        "schema_version": 1,
        "top": "destination",
        "usable_ports": 59,
        "exact": True,
        "destinations": [{"source": "127.0.0.1", "destination": "127.0.0.1:8080", "at_most": 59, "at_least": 59}],
    }
    assert len(accepted) == 59


def test_a_listener_in_the_range_takes_a_port(start, ports):
    server, other = listen("127.0.0.1", 8080, backlog=100), listen("127.0.0.1", 40011)
    clients = connect_until_exhausted("127.0.0.1", 8080)
    series = start(BUDGET, listen=OUTSIDE).series()
    assert series[USABLE] == len(clients) == ports - 1
    assert series[FILL] == 1
    assert server.fileno() != other.fileno()


@pytest.mark.parametrize("reuse", [0, 2])
def test_ports_in_time_wait_count_where_connect_does_not_take_them(start, ports, reuse):
    set_sysctl("net.ipv4.tcp_tw_reuse", reuse)
    subprocess.run(["ip", "address", "add", "192.0.2.1/32", "dev", "lo"], check=True)
    server = listen("0.0.0.0", 8080, backlog=100)
    clients = connect_until_exhausted("192.0.2.1", 8080)
    for client, connection in zip(clients, accept_all(server, clients), strict=True):
        client.close()
        connection.close()
    exporter = start("--collector.ports.destinations=1", BUDGET, listen=OUTSIDE)
    # The source address is 192.0.2.1 too: not a loopback address.
    wait_until("all connections are in TIME_WAIT", lambda: connections("192.0.2.1", "192.0.2.1:8080", "time-wait") == ports)
    assert exporter.series()[FILL] == 1
    assert connect_until_exhausted("192.0.2.1", 8080) == []


def test_no_destination_is_on_the_page_by_default(start, ports):
    server = listen("127.0.0.1", 8080, backlog=100)
    client = socket.create_connection(("127.0.0.1", 8080))
    series = start(BUDGET, listen=OUTSIDE).series()
    assert series[FILL] == pytest.approx(1 / ports)
    assert not [name for name in series if name.startswith("inetdiag_ephemeral_ports_used")]
    client.close()
    server.close()
