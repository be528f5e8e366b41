"""Helpers of the tests of deployment and containers: commands, running programs, HTTP."""

import contextlib
import platform
import re
import ssl
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from polling import wait_until

ROOT = Path(__file__).resolve().parents[1]
SUITE = platform.freedesktop_os_release().get("VERSION_CODENAME", "sid")  # of this machine


def output(*command, **options):
    """Returns the standard output of a command. Fails with its output if the command fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


def version(*arguments):
    return output(ROOT / "deploy" / "version", *arguments).strip()


def packages(role):
    lines = (ROOT / "deploy" / "packages.txt").read_text().splitlines()
    return {line.split()[1] for line in lines if line.split()[0] == role}


def get(url):
    """Returns the body, or None if the connection fails. Certificates are not verified."""
    try:
        with urllib.request.urlopen(url, timeout=60, context=ssl._create_unverified_context()) as response:
            return response.read().decode()
    except OSError:
        return None


@contextlib.contextmanager
def running(*command, stop=lambda process: process.terminate()):
    """Runs a program until the end of the block. Its `log()` returns its output so far."""
    with tempfile.NamedTemporaryFile() as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
        process.log = lambda: Path(file.name).read_text(encoding="utf-8")
        try:
            yield process
        finally:
            if process.poll() is None:
                stop(process)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def get_when_up(process, url):
    """Returns the body as soon as the started exporter answers."""

    def answer():
        assert process.poll() is None, process.log()
        return get(url)

    return wait_until(f"{url} answers", answer)


def assert_all_collectors_succeed(page):
    success = dict(re.findall(r'^inetdiag_scrape_collector_success\{collector="(\w+)"\} (\d)$', page, re.MULTILINE))
    # `netns` runs the documented ones in other network namespaces.
    documented = re.findall(r"^\| `--collector\.(\w+)`, `--no-collector", (ROOT / "docs/cli.md").read_text(), re.MULTILINE)
    assert success.keys() - {"netns"} == set(documented)
    assert set(success.values()) == {"1"}, success
