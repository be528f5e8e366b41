"""The unit: verified and scored by systemd, and run by it on the minimal Debian."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tools import assert_all_collectors_succeed, get, output, running, wait_until

UNIT = "inetdiag_exporter.service"
DROP_IN = f"etc/systemd/system/{UNIT}.d/netns.conf"
# The package brings it as an example, which this minimal Debian leaves out.
EXAMPLE = Path(__file__).parents[2] / "deploy/systemd/netns.conf"
# systemd counts tenths of its score from 0 to 100.
MOST_EXPOSED = 15


@pytest.fixture
def drop_in(host):
    """The example for other network namespaces, where the administrator puts it."""
    file = host / DROP_IN

    def add():
        file.parent.mkdir()
        shutil.copy(EXAMPLE, file)

    yield add
    shutil.rmtree(file.parent, ignore_errors=True)


def test_verifies_where_it_is_installed(host, drop_in):
    verify = ["chroot", host, "systemd-analyze", "verify", "--man=no", f"/lib/systemd/system/{UNIT}"]
    for prepare in (lambda: None, drop_in):
        prepare()
        done = subprocess.run(verify, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_score(installed):
    output(
        "systemd-analyze",
        "security",
        "--offline=true",
        f"--threshold={MOST_EXPOSED}",
        installed / "lib/systemd/system" / UNIT,
    )


@pytest.fixture
def booted(host, network):
    """Runs a command below a systemd that was booted on the host's root folder."""
    if not shutil.which("systemd-nspawn"):
        pytest.skip("systemd-nspawn is not installed")
    (host / "etc/default/inetdiag_exporter").write_text('ARGS="--web.listen-address=127.0.0.1:10046 --log.format=json"\n')
    # Else Debian 12's nspawn forbids them to all that runs below it.
    landlock = "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self"
    command = ["systemd-nspawn", "--directory", host, "--boot", "--register=no", "--keep-unit", landlock]
    with running(*command) as nspawn:

        def leader():
            if nspawn.poll() is not None:
                pytest.skip(f"systemd does not boot here: {nspawn.log()[-300:]}")
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
            asked = subprocess.run([*inside, "systemctl", "is-system-running"], capture_output=True, text=True, check=False)
            return asked.stdout.strip() in ("running", "degraded")

        wait_until("systemd has booted", is_up)
        yield lambda *command: output(*inside, *command)


def main_process(booted, unit):
    return re.search(r"MainPID=(\d+)", booted("systemctl", "show", unit, "--property=MainPID")).group(1)


def test_serves_below_systemd(booted, host, drop_in):
    """All that is on by default works with everything that the unit forbids."""
    log = lambda: booted("journalctl", "--unit", UNIT, "--output=cat")
    assert booted("systemctl", "is-active", UNIT).strip() == "active", log()
    page = wait_until("it answers", lambda: get("http://127.0.0.1:10046/metrics"))
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

    # Other network namespaces, with the drop-in.
    drop_in()
    booted("systemd-run", "--unit=other", "--property=PrivateNetwork=yes", "sleep", "inf")
    file = f"/proc/{main_process(booted, 'other')}/ns/net"
    inode = re.search(r"\d+", booted("readlink", file)).group(0)
    arguments = f"--web.listen-address=127.0.0.1:10046 --netns.discover=all --netns.include=^(late|{inode})$"
    (host / "etc/default/inetdiag_exporter").write_text(f'ARGS="{arguments}"\n')
    booted("systemctl", "daemon-reload")
    booted("systemctl", "start", UNIT)
    page = wait_until("it answers again", lambda: get("http://127.0.0.1:10046/metrics"))
    assert_all_collectors_succeed(page)
    assert f'inetdiag_sysctl_net_core_somaxconn{{netns="{inode}"}}' in page, log()
    booted("sh", "-c", f"mkdir -p /run/netns && touch /run/netns/late && mount --bind {file} /run/netns/late")
    assert 'inetdiag_sysctl_net_core_somaxconn{netns="late"}' in get("http://127.0.0.1:10046/metrics"), log()
    status = dict(re.findall(r"^(\w+):\s*(.*)$", booted("cat", f"/proc/{main_process(booted, UNIT)}/status"), re.MULTILINE))
    assert status["Uid"].split()[0] != "0"
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 1 << 21 | 1 << 19
