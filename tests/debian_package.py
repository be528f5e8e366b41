"""Downloads packages of another Debian suite than that of this machine, from the mirror that it uses.

apt verifies them with the keys of debian-archive-keyring, in directories of its own: nothing is installed, and the
system's lists of packages stay as they are."""

import os
import subprocess
import tempfile
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
TIMEOUT_S = 300
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "inetdiag_exporter-tests"


class Unavailable(Exception):
    """Why a package cannot be had."""


def run(*command, **options):
    """Returns the output of a command. Throws Unavailable."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT_S, **options).stdout
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"{' '.join(command[:2])}: {error.stderr.strip()}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{' '.join(command[:2])}: {error}") from error


def mirrors():
    """Returns {label: URL} of what apt installs from here; Debian and Debian-Security are labels. Throws Unavailable."""
    lines = run("apt-get", "indextargets", "--format", "$(LABEL)|$(REPO_URI)", "Created-By: Packages").splitlines()
    found = dict(line.split("|") for line in reversed(lines))
    if "Debian" not in found:
        raise Unavailable("apt has no list of packages of a Debian release; run apt-get update")
    return found


def apt_settings():
    """Returns the proxy and the validity checks of apt here, for other systems: the mirror may be a snapshot."""
    lines = run("apt-config", "dump", "Acquire").splitlines(keepends=True)
    return "".join(line for line in lines if line.startswith(("Acquire::Check-", "Acquire::http")))


def downloaded(package, file):
    """Returns the path of a file of a package that was downloaded; None if there is none."""
    return next((CACHE / package).glob(f"*/{file}"), None)


def download(package, suite, min_version="0"):
    """Unpacks the package of a suite to the cache. Throws Unavailable."""
    cache = CACHE / package
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        apt = Path(temporary)
        for path in ("state/lists/partial", "cache/archives/partial"):
            (apt / path).mkdir(parents=True)
        (apt / "status").touch()
        (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirrors()['Debian']} {suite} main\n")
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
        run("apt-get", *options, "update", "--error-on=any")
        found = run("apt-cache", *options, "show", "--no-all-versions", package)
        version = next(line.split()[1] for line in found.splitlines() if line.startswith("Version:"))
        run("dpkg", "--compare-versions", version, "ge", min_version)
        run("apt-get", *options, "download", package, cwd=apt)
        (file,) = apt.glob(f"{package}_*.deb")
        unpacked = tempfile.mkdtemp(prefix=".", dir=cache)
        run("dpkg-deb", "--extract", str(file), unpacked)
        os.rename(unpacked, cache / version)
