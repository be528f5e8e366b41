"""Starts programs and ends each of them by its own handle, whatever happens."""

import contextlib
import json
import select
import subprocess

FAREWELL_SECONDS = 30  # a holder of a million sockets needs some


def end(process):
    """Closes the program's stdin, asks it to end, and insists where it does not."""
    if process.stdin:
        with contextlib.suppress(OSError):
            process.stdin.close()
    else:
        process.terminate()
    for insist in (process.terminate, process.kill, None):
        try:
            process.wait(FAREWELL_SECONDS)
            return
        except subprocess.TimeoutExpired:
            if insist:
                insist()


@contextlib.contextmanager
def running(command, **options):
    """The program while it runs. It has a session of its own: Ctrl-C is for the caller alone."""
    options.setdefault("stdin", subprocess.DEVNULL)
    process = subprocess.Popen(
        [str(word) for word in command], start_new_session=True, text=True, **options
    )
    try:
        yield process
    finally:
        end(process)


class Dialogue:
    """A program that answers each line with a line that ends in JSON."""

    def __init__(self, process, timeout):
        self.process = process
        self._timeout = timeout

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self):
        if not select.select([self.process.stdout], [], [], self._timeout)[0]:
            raise RuntimeError(f"{self.process.args[0]}: no answer in {self._timeout} s")
        line = self.process.stdout.readline()
        if "{" not in line:
            raise RuntimeError(line.strip() or f"{self.process.args[0]} ended without an answer")
        return json.loads(line[line.index("{") :])


@contextlib.contextmanager
def dialogue(command, timeout):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with running(command, **pipes) as process:
        with process.stdout:
            yield Dialogue(process, timeout)
