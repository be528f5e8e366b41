"""Parses --help, the only source of the man page and the shell completions."""

import re
import subprocess
from dataclasses import dataclass

# The help of a flag with this value type lists the valid values: "A, B or C".
CHOICE = "NAME"


@dataclass(frozen=True)
class Flag:
    group: str
    names: tuple[str, ...]
    type: str  # of the value; empty if the flag has none
    default: str
    help: str

    @property
    def choices(self):
        is_list = self.type == CHOICE and re.fullmatch(r"[\w-]+(, [\w-]+)* or [\w-]+", self.help)
        return re.split(r", | or ", self.help) if is_list else []


@dataclass(frozen=True)
class Command:
    name: str
    help: str
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Help:
    version: str
    summary: str
    flags: tuple[Flag, ...]
    commands: tuple[Command, ...]

    @property
    def all_flags(self):
        """Returns the global flags and those of all commands."""
        return self.flags + tuple(flag for command in self.commands for flag in command.flags)


COMMANDS = "Subcommands"


def parse_commands(text):
    """Yields (name, help) of each command in the output of --help."""
    section = text.partition(f"\n{COMMANDS}:\n")[2]
    for line in section.splitlines():
        if match := re.fullmatch(r"  (\w\S*) {2,}(\S.*)", line):
            yield match.groups()
        elif line.startswith(" "):
            raise ValueError(f"cannot parse --help: not a command: {line!r}")


def parse(text):
    """Yields the flags in the output of --help."""
    text = text.partition(f"\n{COMMANDS}:\n")[0]
    # CLI11 moves the help of a long flag to the next line.
    text = re.sub(r"^(  -\S+(?: \S+)?)\n {10,}", r"\1  ", text, flags=re.MULTILINE)
    group = ""
    for line in text.splitlines():
        if re.fullmatch(r"\S.*:", line):
            group = line.removesuffix(":")
        elif match := re.fullmatch(r"  (-\S+)(?: (?! )([^\s=]+)(?:=(\S+))?)? {2,}(\S.*)", line):
            names, value, default, help_text = match.groups()
            yield Flag(group, tuple(names.split(",")), value or "", default or "", help_text)
        elif line.startswith(" "):
            raise ValueError(f"cannot parse --help: not a flag: {line!r}")


def read(program):
    def run(*arguments):
        return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout

    text = run("--help")
    version = re.search(r"version (\S+)", run("--version")).group(1)
    commands = (
        Command(name, help_text, tuple(flag for flag in parse(run(name, "--help")) if "--help" not in flag.names))
        for name, help_text in parse_commands(text)
    )
    return Help(version, text.splitlines()[0], tuple(parse(text)), tuple(commands))
