"""The unit: verified and scored by systemd-analyze, and run by systemd on a minimal Debian."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tools import assert_all_collectors_succeed, get, output, running, wait_until

UNIT = "inetdiag_exporter.service"
DROP_IN = f"etc/systemd/system/{UNIT}.d/netns.conf"
# The package installs it as an example, which this minimal Debian excludes.
EXAMPLE = Path(__file__).parents[2] / "deploy/systemd/netns.conf"
# In tenths of the exposure level of systemd-analyze security.
MAX_EXPOSURE = 15


@pytest.fixture
def drop_in(host):
    """Installs the example for other network namespaces as a drop-in."""
    file = host / DROP_IN

    def add():
        file.parent.mkdir()
        shutil.copy(EXAMPLE, file)

    yield add
    shutil.rmtree(file.parent, ignore_errors=True)


def test_unit_verifies(host, drop_in):
    verify = ["chroot", host, "systemd-analyze", "verify", "--man=no", f"/lib/systemd/system/{UNIT}"]
    for prepare in (lambda: None, drop_in):
        prepare()
        done = subprocess.run(verify, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_socket_unit_verifies(host):
    unit = host / "etc/systemd/system/inetdiag_exporter.socket"
    shutil.copy(EXAMPLE.with_name(unit.name), unit)
    verify = ["chroot", host, "systemd-analyze", "verify", "--man=no", f"/etc/systemd/system/{unit.name}"]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    unit.unlink()


def test_exposure(installed):
    output(
        "systemd-analyze",
        "security",
        "--offline=true",
        f"--threshold={MAX_EXPOSURE}",
        installed / "lib/systemd/system" / UNIT,
    )


@pytest.fixture
def booted(host, network):
    """Runs commands in a container that systemd booted from the root directory."""
    if not shutil.which("systemd-nspawn"):
        pytest.skip("systemd-nspawn is not installed")
    (host / "etc/default/inetdiag_exporter").write_text('ARGS="--web.listen-address=127.0.0.1:10046 --log.format=json"\n')
    # systemd-nspawn of Debian 12 denies them by default.
    landlock = "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self"
    command = ["systemd-nspawn", "--directory", host, "--boot", "--register=no", "--keep-unit", landlock]
    with running(*command) as nspawn:

        def leader():
            if nspawn.poll() is not None:
                pytest.skip(f"systemd does not boot: {nspawn.log()[-300:]}")
            for status in Path("/proc").glob("[0-9]*/status"):
                try:
                    text = status.read_text(encoding="utf-8")
                except OSError:
                    continue
                if re.search(rf"^Name:\tsystemd\n(.*\n)*PPid:\t{nspawn.pid}$", text, re.MULTILINE):
                    return status.parent.name
            return None

        pid = wait_until("systemd runs", leader)
        inside = ["nsenter", f"--target={pid}", "--all", "--"]

        def is_up():
            assert nspawn.poll() is None, nspawn.log()
            state = subprocess.run([*inside, "systemctl", "is-system-running"], capture_output=True, text=True, check=False)
            return state.stdout.strip() in ("running", "degraded")

        wait_until("systemd has booted", is_up)
        yield lambda *command: output(*inside, *command)


def main_process(booted, unit):
    return re.search(r"MainPID=(\d+)", booted("systemctl", "show", unit, "--property=MainPID")).group(1)


def test_runs_as_a_service(booted, host, drop_in):
    """All default collectors work in the sandbox of the unit."""
    log = lambda: booted("journalctl", "--unit", UNIT, "--output=cat")
    assert booted("systemctl", "is-active", UNIT).strip() == "active", log()
    page = wait_until("the exporter answers", lambda: get("http://127.0.0.1:10046/metrics"))
    assert_all_collectors_succeed(page)
    if "cgroup.controllers" in booted("sh", "-c", "ls /sys/fs/cgroup /sys/fs/cgroup/unified 2>/dev/null; true"):
        assert re.search(rf'^inetdiag_listener_info{{.*port="10046".*unit="{UNIT}".*}} 1$', page, re.MULTILINE), page
    shown = booted("systemctl", "show", UNIT, "--property=MainPID,NRestarts")
    pid = re.search(r"MainPID=(\d+)", shown).group(1)
    assert "NRestarts=0" in shown
    status = dict(re.findall(r"^(\w+):\s*(.*)$", booted("cat", f"/proc/{pid}/status"), re.MULTILINE))
    assert status["Uid"].split()[0] != "0"
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"  # a filter
    lines = [json.loads(line) for line in log().splitlines() if line.startswith("{")]
    assert not [line for line in lines if line["level"] in ("warn", "error")], lines
    assert not [line for line in lines if "sandbox" in line["msg"]], lines

    booted("systemctl", "stop", UNIT)
    shown = booted("systemctl", "show", UNIT, "--property=Result,ExecMainStatus")
    assert {"Result=success", "ExecMainStatus=0"} == set(shown.split())
    assert get("http://127.0.0.1:10046/metrics") is None

    # With the drop-in, other network namespaces are monitored.
    drop_in()
    # Not PrivateNetwork=, which systemd of Debian 13 ignores where it cannot remount /sys.
    booted("systemd-run", "--unit=other", "unshare", "--net", "sleep", "inf")
    file = f"/proc/{main_process(booted, 'other')}/ns/net"
    own = booted("readlink", "/proc/1/ns/net")
    wait_until("the process is in a namespace of its own", lambda: booted("readlink", file) != own)
    inode = re.search(r"\d+", booted("readlink", file)).group(0)
    arguments = f"--web.listen-address=127.0.0.1:10046 --netns.discover=all --netns.include=^(late|{inode})$"
    (host / "etc/default/inetdiag_exporter").write_text(f'ARGS="{arguments}"\n')
    booted("systemctl", "daemon-reload")
    booted("systemctl", "start", UNIT)
    page = wait_until("the exporter answers again", lambda: get("http://127.0.0.1:10046/metrics"))
    assert_all_collectors_succeed(page)
    assert f'inetdiag_sysctl_net_core_somaxconn{{netns="{inode}"}}' in page, log()
    booted("sh", "-c", f"mkdir -p /run/netns && touch /run/netns/late && mount --bind {file} /run/netns/late")
    assert 'inetdiag_sysctl_net_core_somaxconn{netns="late"}' in get("http://127.0.0.1:10046/metrics"), log()
    status = dict(re.findall(r"^(\w+):\s*(.*)$", booted("cat", f"/proc/{main_process(booted, UNIT)}/status"), re.MULTILINE))
    assert status["Uid"].split()[0] != "0"
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 1 << 21 | 1 << 19
