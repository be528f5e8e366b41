"""docs/scale.md says how many series a page has, and how many at most."""

import importlib.machinery
import importlib.util
import re
import socket

import pytest

from conftest import ROOT, listen

LIMIT = 3
SOCKETS = 8


def load(path):
    loader = importlib.machinery.SourceFileLoader(path.name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(path.name, loader))
    loader.exec_module(module)
    return module


series_table = load(ROOT / "tests/series_table")


def documented():
    """Returns {collector: (fixed series, series of the first item)} of the table."""
    rows = re.findall(
        r"^\| `(\w+)` \| (\d*) ?\| \d* ?\| [^|]+ \| (\d+) \|", (ROOT / "docs/scale.md").read_text(), re.MULTILINE
    )
    return {collector: (int(fixed or 0), int(each)) for collector, fixed, each in rows}


@pytest.fixture
def sockets(tmp_path):
    """More sockets of each kind than have series of their own."""
    opened = [listen() for _ in range(SOCKETS)]
    for number in range(SOCKETS):
        datagrams = socket.socket(type=socket.SOCK_DGRAM)
        datagrams.bind(("127.0.0.1", 1000 + number))
        local = socket.socket(socket.AF_UNIX)
        local.bind(str(tmp_path / str(number)))
        local.listen()
        opened += [datagrams, local]
    yield
    for each in opened:
        each.close()


def test_a_page_with_more_sockets_than_the_limits_has_the_documented_series(start, sockets):
    settings = ("listeners.max", "udp.max", "unix.max", "tcp.max-ports")
    page = start("--collector.tcp.cpu-budget=100%", *(f"--collector.{name}={LIMIT}" for name in settings)).page()
    for collector, (fixed, each) in documented().items():
        items = {item.collector: item for item in series_table.EACH[::-1]}
        item = items[collector]
        if isinstance(item.limit, int):
            continue  # not a setting
        own = each - item.has_owner
        others = item.series_of_others(own)
        assert len(series_table.series(page, collector)) == fixed + LIMIT * own + others, collector
