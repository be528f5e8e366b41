#!/usr/bin/python3
"""Downloads a Prometheus that parses created timestamps of OpenMetrics text, which the one of Debian 12 does not.

It comes from Debian's testing suite, from the mirror that this machine uses. apt verifies it with the keys of
debian-archive-keyring, in directories of its own: nothing is installed, and the system's lists of packages stay
as they are. The tests run without a network, so tests/run starts this first."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SUITE = "testing"
MIN_VERSION = "2.55"  # https://github.com/prometheus/prometheus/pull/14356
TIMEOUT_S = 300
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "inetdiag_exporter-tests" / "prometheus"


class Unavailable(Exception):
    """Why it cannot be had."""


def _run(*command, **options):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT_S, **options).stdout
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"{' '.join(command[:2])}: {error.stderr.strip()}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{' '.join(command[:2])}: {error}") from error


def _mirror():
    """Returns the URL from which apt installs Debian's packages here."""
    format_ = "$(ORIGIN) $(RELEASE) $(REPO_URI)"
    for line in _run("apt-get", "indextargets", "--format", format_, "Created-By: Packages").splitlines():
        origin, release, url = line.split()
        if origin == "Debian" and "-" not in release:
            return url
    raise Unavailable("apt has no list of packages of a Debian release; run apt-get update")


def _download():
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        apt = Path(temporary)
        for path in ("state/lists/partial", "cache/archives/partial"):
            (apt / path).mkdir(parents=True)
        (apt / "status").touch()
        (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {_mirror()} {SUITE} main\n")
        settings = {
            "Dir::State": apt / "state",
            "Dir::State::status": apt / "status",
            "Dir::Cache": apt / "cache",
            "Dir::Etc::sourcelist": apt / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Acquire::Languages": "none",
            "APT::Sandbox::User": "",
        }
        options = [f"--option={name}={value}" for name, value in settings.items()]
        _run("apt-get", *options, "update", "--error-on=any")
        found = _run("apt-cache", *options, "show", "--no-all-versions", "prometheus")
        version = next(line.split()[1] for line in found.splitlines() if line.startswith("Version:"))
        _run("dpkg", "--compare-versions", version, "ge", MIN_VERSION)
        _run("apt-get", *options, "download", "prometheus", cwd=apt)
        (package,) = apt.glob("prometheus_*.deb")
        unpacked = tempfile.mkdtemp(prefix=".", dir=CACHE)
        _run("dpkg-deb", "--extract", str(package), unpacked)
        os.rename(unpacked, CACHE / version)


def program():
    """Returns the path of the downloaded program; None if there is none."""
    return next(CACHE.glob("*/usr/bin/prometheus"), None)


if __name__ == "__main__":
    try:
        if not program():
            _download()
        print(_run(str(program()), "--version"), end="")
    except Unavailable as unavailable:
        sys.exit(f"cannot download prometheus of Debian {SUITE}: {unavailable}")
