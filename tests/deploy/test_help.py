"""The man page and the shell completions contain every flag of the program."""

import re
import subprocess

import pytest

from tools import output


def commands(binary):
    """Returns the command names, without the parser under test."""
    section = output(binary, "--help").partition("\nCommands:\n")[2].partition("\n\n")[0]
    found = re.findall(r"^  (\w+)", section, re.MULTILINE)
    assert "check" in found
    return found


def flags_in(text):
    """Returns the flags that a help describes, without the parser under test."""
    entries = re.findall(r"^  (-[^ ].*)$", text, re.MULTILINE)
    return {name for entry in entries for name in re.findall(r"(?<![\w-])--?[a-z][\w.-]*", entry.split("   ")[0])}


@pytest.fixture(scope="module")
def flags(binary):
    """The flags in the help of the program and of each command."""
    found = {"": flags_in(output(binary, "--help"))}
    found |= {name: flags_in(output(binary, name, "--help")) for name in commands(binary)}
    assert {"-h", "--help", "--version", "--no-collector.tcp"} < found[""]
    return found


@pytest.fixture(scope="module")
def man_page(installed):
    return installed / "share/man/man8/inetdiag_exporter.8"


def test_man_page_has_every_flag(man_page, flags):
    text = man_page.read_text().replace("\\-", "-")
    assert set().union(*flags.values()) <= set(re.findall(r"\\fB(--?[\w.-]+)\\fR", text))


def test_every_command_is_documented_and_completed(installed, man_page, binary):
    names = set(commands(binary))
    assert names <= set(re.findall(r"^\.SS (\w+)$", man_page.read_text(), re.MULTILINE))
    assert bash(installed, "c") == {name for name in names if name.startswith("c")}
    assert f"1::command:({' '.join(commands(binary))})" in zsh(installed, "")
    assert names <= fish(installed, "inetdiag_exporter ")


def test_man_page_has_no_groff_warnings(man_page):
    done = subprocess.run(
        ["groff", "-man", "-ww", "-z", man_page], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def bash(installed, *words):
    """Returns the bash completions of the last word."""
    script = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_inetdiag_exporter 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""
    file = installed / "share/bash-completion/completions/inetdiag_exporter"
    return set(output("bash", "-c", script, "bash", file, "inetdiag_exporter", *words).split())


def zsh(installed, command):
    """Returns the arguments of _arguments, which itself needs a terminal, after a command."""
    script = '_arguments() { printf "%s\\n" "$@" }; words=(inetdiag_exporter $2); source "$1"'
    file = installed / "share/zsh/site-functions/_inetdiag_exporter"
    return output("zsh", "-f", "-c", script, "zsh", file, command)


def fish(installed, line):
    file = installed / "share/fish/vendor_completions.d/inetdiag_exporter.fish"
    candidates = output("fish", "--no-config", "-c", f"source {file}; complete -C '{line}'", env={"HOME": "/"})
    return {candidate.split("\t")[0] for candidate in candidates.splitlines()}


def test_help_has_at_most_80_columns(binary):
    for arguments in ([], *([name] for name in commands(binary))):
        assert max(map(len, output(binary, *arguments, "--help").splitlines())) <= 80


SHARED = {"check": "--collector.tcp", "print": "--path.procfs", "sockets": "--path.netns"}
FOREIGN = {"check": "--web.listen-address", "print": "--statsd.address", "sockets": "--collector.tcp"}


def test_bash_completes_the_flags_of_a_command(installed, binary, flags):
    assert bash(installed, "-") == flags[""]
    for name in commands(binary):
        offered = bash(installed, name, "-")
        assert flags[name] | {SHARED[name]} <= offered
        assert FOREIGN[name] not in offered


def test_bash_completes_values(installed):
    assert bash(installed, "--log.format", "=", "j") == {"json"}
    assert bash(installed, "--log.level", "") == {"debug", "info", "warn", "error"}
    assert bash(installed, "--log.level", "=") == {"debug", "info", "warn", "error"}
    assert bash(installed, "--path.procfs", "=", "/pro") == {"/proc"}
    assert bash(installed, "--netns.discover", "") == {"off", "pinned", "processes", "all"}
    assert bash(installed, "print", "--format", "") == {"prometheus", "openmetrics", "json"}
    assert bash(installed, "check", "--format", "=") == {"text", "json"}
    assert bash(installed, "sockets", "--state", "time") == {"time_wait"}
    assert "/etc/passwd" in bash(installed, "print", "--output", "/etc/pass")


def test_zsh_completes_flags_and_values(installed, flags, binary):
    text = zsh(installed, "")
    specs = re.findall(r"^\*(--?[\w.-]+)(=?)\[(?:[^\]\\]|\\.)+\](?::(\w+):(.+))?$", text, re.MULTILINE)
    assert {name for name, *_ in specs} == flags[""]
    assert ("--log.format", "=", "NAME", "(json logfmt plain)") in specs
    assert ("--path.procfs", "=", "DIR", "_files -/") in specs
    assert ("--version", "", "", "") in specs
    for name in commands(binary):
        text = zsh(installed, name)
        offered = set(re.findall(r"^\*(--?[\w.-]+)", text, re.MULTILINE))
        assert flags[name] | {SHARED[name]} <= offered and FOREIGN[name] not in offered
    assert "NAME:(json openmetrics prometheus)" in zsh(installed, "print")


def test_fish_completes_the_flags_of_a_command(installed, flags, binary):
    assert {"-h", *fish(installed, "inetdiag_exporter --")} == flags[""]
    for name in commands(binary):
        offered = {"-h", *fish(installed, f"inetdiag_exporter {name} --")}
        assert flags[name] | {SHARED[name]} <= offered and FOREIGN[name] not in offered


def test_fish_completes_values(installed):
    assert fish(installed, "inetdiag_exporter --log.format=j") == {"--log.format=json"}
    assert fish(installed, "inetdiag_exporter --path.procfs /pro") == {"/proc/"}
    assert fish(installed, "inetdiag_exporter print --format=p") == {"--format=prometheus"}
