"""The sandbox around the running program. What it forbids is tried in tests/live/sandbox_test.cpp;
that every collector works in it, by all other end-to-end tests."""

import re
from pathlib import Path

import pytest


def threads_of(exporter):
    """The status of each thread, as {name: value}."""
    return [
        dict(re.findall(r"^(\w+):\s*(\S*)", status.read_text(), re.MULTILINE))
        for status in Path(f"/proc/{exporter.process.pid}/task").glob("*/status")
    ]


def test_every_thread_is_in_the_sandbox(start):
    exporter = start()
    exporter.page()
    if "built with" in exporter.log:
        pytest.skip("a sanitizer needs more than the sandbox allows")
    threads = threads_of(exporter)
    assert len(threads) > 1
    for thread in threads:
        assert {thread[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
        assert (thread["NoNewPrivs"], thread["Seccomp"]) == ("1", "2")


def test_no_sandbox_turns_it_off(start):
    exporter = start("--no-sandbox")
    exporter.page()
    assert {thread["Seccomp"] for thread in threads_of(exporter)} == {"0"}
    assert "sandbox" not in exporter.log


