"""`check --watch` in a real terminal (tmux), in pipes and as JSON."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess

import pytest
from conftest import connect_without_waiting, listen, wait_until

PORT = 8080


class Tmux:
    """A shell in a tmux server of its own."""

    def __init__(self, socket, columns, rows):
        self.prefix = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        environment.pop("NO_COLOR", None)
        subprocess.run(
            [*self.prefix, "new-session", "-d", "-x", str(columns), "-y", str(rows), "env", "PS1=shell> ", "bash", "--norc", "--noprofile"],
            env=environment,
            check=True,
        )
        self.wait_for("shell>")

    def run(self, *arguments):
        return subprocess.run([*self.prefix, *arguments], capture_output=True, text=True, check=True).stdout

    def send(self, *keys):
        self.run("send-keys", *keys)

    def type(self, text):
        self.run("send-keys", "-l", text)
        self.send("Enter")

    def pane(self, *options):
        return self.run("capture-pane", "-p", *options)

    def wait_for(self, pattern):
        return wait_until(f"the terminal shows {pattern}", lambda: re.search(pattern, self.pane()), seconds=30)

    def is_alternate(self):
        return self.run("display-message", "-p", "#{alternate_on}").strip() == "1"

    def cursor_is_visible(self):
        return self.run("display-message", "-p", "#{cursor_flag}").strip() == "1"


@pytest.fixture
def tmux(tmp_path):
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed")
    terminal = Tmux(tmp_path / "tmux", 90, 24)
    yield terminal
    terminal.run("kill-server")


@pytest.fixture
def watch(tmux, binary):
    """Starts `check --watch` in the terminal and waits for its first verdict."""

    def start_watch(prefix="", flags="--watch=200ms"):
        tmux.type(f"{prefix} {shlex.quote(binary)} check {flags}".strip())
        tmux.wait_for(r"q: quit *\n(?!Findings follow)")
        return tmux

    return start_watch


def assert_restored(terminal, status):
    terminal.wait_for("shell>")
    assert not terminal.is_alternate()
    assert terminal.cursor_is_visible()
    terminal.type("echo status=$?; stty -a")
    assert terminal.wait_for(r"status=(\d+)\n").group(1) == str(status)
    terminal.wait_for(r"(?<!-)icanon")
    terminal.wait_for(r"(?<!-)\becho\b")


def test_screen_shows_a_queue_that_fills(watch):
    server = listen(port=PORT, backlog=100)
    terminal = watch()
    assert terminal.is_alternate() and not terminal.cursor_is_visible()
    terminal.wait_for(rf"accept 127.0.0.1:{PORT} .* 0/101 \[\.+\] +0 %")
    clients = connect_without_waiting(PORT, 50)
    terminal.wait_for(rf"accept 127.0.0.1:{PORT} .* 50/101 \[#+\.+\] +49 % .*▄")
    clients += connect_without_waiting(PORT, 60)
    terminal.wait_for(rf"CRITICAL +127.0.0.1:{PORT}")
    terminal.wait_for(rf"accept 127.0.0.1:{PORT} .* 101/101 \[#+\] 100 % .*█")
    assert "\x1b[31m" in terminal.pane("-e")
    terminal.send("q")
    assert_restored(terminal, 2)
    server.close()


def test_screen_follows_the_size_of_the_terminal(watch):
    _servers = [listen(port=PORT + i) for i in range(30)]
    terminal = watch(flags="--watch=1m")
    terminal.wait_for(r"and \d+ more queues, all empty")
    terminal.run("resize-window", "-x", "30", "-y", "5")
    wait_until("the screen has 5 lines", lambda: len(terminal.pane().rstrip("\n").splitlines()) == 5)
    terminal.run("resize-window", "-x", "120", "-y", "50")
    terminal.wait_for(rf"127.0.0.1:{PORT + 29} ")
    terminal.send("C-c")
    assert_restored(terminal, 0)


def test_suspend_restores_the_terminal(watch):
    _server = listen(port=PORT)
    terminal = watch()
    terminal.send("C-z")
    terminal.wait_for("Stopped")
    assert not terminal.is_alternate() and terminal.cursor_is_visible()
    terminal.type("fg")
    terminal.wait_for(rf"accept 127.0.0.1:{PORT}")
    wait_until("the screen is back", terminal.is_alternate)
    terminal.send("q")
    assert_restored(terminal, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_restore_the_terminal(watch, number):
    terminal = watch()
    shell = terminal.run("display-message", "-p", "#{pane_pid}").strip()
    (program,) = subprocess.run(["pgrep", "-P", shell], capture_output=True, text=True, check=True).stdout.split()
    os.kill(int(program), number)
    assert_restored(terminal, 0)


def test_no_color(watch):
    _server = listen(port=PORT, backlog=4)
    _clients = connect_without_waiting(PORT, 5)
    terminal = watch(prefix="NO_COLOR=1")
    terminal.wait_for(rf"CRITICAL +127.0.0.1:{PORT}")
    assert "\x1b[" not in terminal.pane("-e")
    terminal.send("q")
    assert_restored(terminal, 2)


def test_dumb_terminal_has_lines(tmux, binary):
    tmux.type(f"TERM=dumb {shlex.quote(binary)} check --watch=200ms")
    tmux.wait_for(r"UTC \S+: All queues have room")
    assert not tmux.is_alternate()
    tmux.send("C-c")
    assert_restored(tmux, 0)


def test_pipe_has_a_line_for_each_change(binary):
    server = listen(port=PORT, backlog=4)
    process = subprocess.Popen([binary, "check", "--watch=200ms"], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().endswith(": All queues have room.\n")
    clients = connect_without_waiting(PORT, 5)
    line = process.stdout.readline()
    assert re.search(rf" (WARNING|CRITICAL) 127.0.0.1:{PORT}: ", line) and "\x1b" not in line
    server.close()
    while " RESOLVED " not in line:
        line = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    del clients


def test_json_has_a_document_per_line(binary):
    process = subprocess.Popen([binary, "check", "--watch=100ms", "--format=json"], stdout=subprocess.PIPE, text=True)
    for _ in range(3):
        document = json.loads(process.stdout.readline())
        assert document["schema_version"] == 1 and document["seconds_since_previous"] > 0
    # The reader is gone: no error, and the status of the last check.
    process.stdout.close()
    assert process.wait(timeout=60) == 0


def test_closed_pipe_ends_it_without_a_change(binary):
    process = subprocess.Popen([binary, "check", "--watch=1m"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(timeout=60) == 3
    assert process.stderr.read() == b""


def test_interval_of_its_own(run):
    result = run("check", "--watch", "--interval=1s")
    assert result.returncode == 3
    assert "--watch=TIME" in result.stderr
