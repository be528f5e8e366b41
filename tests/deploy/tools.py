"""What the deployment tests share: commands, programs that run for a while, pages."""

import contextlib
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def output(*command, **options):
    """What a command prints; one that fails shows its errors."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


def version(*what):
    return output(ROOT / "deploy" / "version", *what).strip()


def packages(role):
    lines = (ROOT / "deploy" / "packages.txt").read_text().splitlines()
    return {line.split()[1] for line in lines if line.split()[0] == role}


def wait_until(what, condition, seconds=120):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.05)


def get(url):
    """The page, or None where nobody listens yet."""
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            return response.read().decode()
    except urllib.error.URLError:
        return None


@contextlib.contextmanager
def running(*command, ended_by=lambda process: process.terminate()):
    """A program that is ended with the block; `log()` is what it wrote so far."""
    with tempfile.NamedTemporaryFile() as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
        process.log = lambda: Path(file.name).read_text(encoding="utf-8")
        try:
            yield process
        finally:
            if process.poll() is None:
                ended_by(process)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def page_of(process, url):
    """The page of an exporter that was just started."""

    def answer():
        assert process.poll() is None, process.log()
        return get(url)

    return wait_until(f"{url} answers", answer)


def assert_all_collectors_succeed(page):
    success = dict(re.findall(r'^inetdiag_scrape_collector_success\{collector="(\w+)"\} (\d)$', page, re.MULTILINE))
    documented = re.findall(r"^\| `--collector\.(\w+)`, `--no-collector", (ROOT / "docs/cli.md").read_text(), re.MULTILINE)
    assert success.keys() - {"netns"} == set(documented)
    assert set(success.values()) == {"1"}, success
