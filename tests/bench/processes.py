"""Starts programs and makes sure that each of them terminates."""

import contextlib
import json
import select
import signal
import subprocess
import sys

EXIT_TIMEOUT = 30  # closing a million sockets takes seconds


def terminate(process):
    """Closes the stdin of the process or sends SIGTERM; then SIGTERM and SIGKILL after a timeout."""
    if process.stdin:
        with contextlib.suppress(OSError):
            process.stdin.close()
    else:
        process.terminate()
    for escalate in (process.terminate, process.kill, None):
        try:
            process.wait(EXIT_TIMEOUT)
            return
        except subprocess.TimeoutExpired:
            if escalate:
                escalate()


@contextlib.contextmanager
def running(command, **options):
    """Runs a program in its own session, so that Ctrl-C only interrupts the caller."""
    options.setdefault("stdin", subprocess.DEVNULL)
    process = subprocess.Popen(
        [str(word) for word in command], start_new_session=True, text=True, **options
    )
    try:
        yield process
    finally:
        terminate(process)


class Coprocess:
    """A program that answers each line of input with a line that ends in JSON."""

    def __init__(self, process, timeout):
        self.process = process
        self._timeout = timeout

    def request(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.read_response()

    def read_response(self):
        if not select.select([self.process.stdout], [], [], self._timeout)[0]:
            raise RuntimeError(f"{self.process.args[0]}: timed out after {self._timeout} s")
        line = self.process.stdout.readline()
        if "{" not in line:
            raise RuntimeError(line.strip() or f"{self.process.args[0]} exited without a response")
        return json.loads(line[line.index("{") :])


@contextlib.contextmanager
def coprocess(command, timeout):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with running(command, **pipes) as process:
        with process.stdout:
            yield Coprocess(process, timeout)


def exit_on_signals():
    """Makes signals end this program in order, so that it ends the programs that it started."""

    def handle(number, _):
        # Further signals must not interrupt the cleanup.
        for again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(again, signal.SIG_IGN)
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handle)
