#!/usr/bin/python3
"""Downloads a Prometheus that parses created timestamps of OpenMetrics text, which the one of Debian 12 does not.

The tests run without a network, so tests/run starts this first."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

import debian_package  # noqa: E402

PACKAGE, SUITE = "prometheus", "testing"
MIN_VERSION = "2.55"  # https://github.com/prometheus/prometheus/pull/14356


def program():
    """Returns the path of the downloaded program; None if there is none."""
    return debian_package.downloaded(PACKAGE, "usr/bin/prometheus")


if __name__ == "__main__":
    try:
        if not program():
            debian_package.download(PACKAGE, SUITE, MIN_VERSION)
        print(debian_package.run(str(program()), "--version"), end="")
    except debian_package.Unavailable as unavailable:
        sys.exit(f"cannot download prometheus of Debian {SUITE}: {unavailable}")
