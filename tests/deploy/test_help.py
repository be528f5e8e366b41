"""The man page and the shell completions contain every flag of the program."""

import re
import subprocess

import pytest

from tools import output


def commands(binary):
    """Returns the command names, without the parser under test."""
    found = re.findall(r"^  (\w+)", output(binary, "--help").partition("Subcommands:")[2], re.MULTILINE)
    assert "check" in found
    return found


@pytest.fixture(scope="module")
def flags(binary):
    """The flags in --help, without the parser under test."""
    texts = output(binary, "--help") + "".join(output(binary, name, "--help") for name in commands(binary))
    found = set(re.findall(r"(?<![\w-])--?[a-z][\w.-]*", texts))
    assert {"-h", "--help", "--version", "--no-collector.tcp"} < found
    return found


@pytest.fixture(scope="module")
def man_page(installed):
    return installed / "share/man/man8/inetdiag_exporter.8"


def test_man_page_has_every_flag(man_page, flags):
    text = man_page.read_text().replace("\\-", "-")
    assert set(re.findall(r"\\fB(--?[\w.-]+)\\fR", text)) == flags


def test_every_command_is_documented_and_completed(installed, man_page, binary):
    names = set(commands(binary))
    assert names <= set(re.findall(r"^\.SS (\w+)$", man_page.read_text(), re.MULTILINE))
    assert bash(installed, "c") == {name for name in names if name.startswith("c")}
    assert f"1::command:({' '.join(commands(binary))})" in zsh(installed)
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


def zsh(installed):
    """Returns the arguments of _arguments, which itself needs a terminal."""
    script = '_arguments() { printf "%s\\n" "$@" }; source "$1"'
    return output("zsh", "-f", "-c", script, "zsh", installed / "share/zsh/site-functions/_inetdiag_exporter")


def fish(installed, line):
    file = installed / "share/fish/vendor_completions.d/inetdiag_exporter.fish"
    candidates = output("fish", "--no-config", "-c", f"source {file}; complete -C '{line}'", env={"HOME": "/"})
    return {candidate.split("\t")[0] for candidate in candidates.splitlines()}


def test_bash_completes_every_flag(installed, flags):
    assert bash(installed, "-") == flags


def test_bash_completes_values(installed):
    assert bash(installed, "--log.format", "=", "j") == {"json"}
    assert bash(installed, "--log.level", "") == {"debug", "info", "warn", "error"}
    assert bash(installed, "--log.level", "=") == {"debug", "info", "warn", "error"}
    assert bash(installed, "--path.procfs", "=", "/pro") == {"/proc"}


def test_zsh_completes_every_flag_and_value(installed, flags):
    specs = re.findall(r"^\*(--?[\w.-]+)(=?)\[(?:[^\]\\]|\\.)+\](?::(\w+):(.+))?$", zsh(installed), re.MULTILINE)
    assert {name for name, *_ in specs} == flags
    assert ("--log.format", "=", "NAME", "(logfmt json)") in specs
    assert ("--path.procfs", "=", "DIR", "_files -/") in specs
    assert ("--version", "", "", "") in specs


def test_fish_completes_every_flag(installed, flags):
    assert {"-h", *fish(installed, "inetdiag_exporter --")} == flags


def test_fish_completes_values(installed):
    assert fish(installed, "inetdiag_exporter --log.format=j") == {"--log.format=json"}
    assert fish(installed, "inetdiag_exporter --path.procfs /pro") == {"/proc/"}
