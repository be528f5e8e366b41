"""The flags of the program, read from its own --help: what the man page and the completions tell is
kept there and nowhere else."""

import re
import subprocess
from dataclasses import dataclass

# A value of this type is one of a few names, and the flag's help lists them.
CHOICE = "NAME"


@dataclass(frozen=True)
class Flag:
    group: str
    names: tuple[str, ...]
    type: str  # of its value, or empty
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
        """Those of the commands too."""
        return self.flags + tuple(flag for command in self.commands for flag in command.flags)


COMMANDS = "Subcommands"


def parse_commands(text):
    """Yields the name and the help of each command of a --help."""
    section = text.partition(f"\n{COMMANDS}:\n")[2]
    for line in section.splitlines():
        if match := re.fullmatch(r"  (\w\S*) {2,}(\S.*)", line):
            yield match.groups()
        elif line.startswith(" "):
            raise ValueError(f"a line of --help that is no command: {line!r}")


def parse(text):
    """Yields the flags of a --help."""
    text = text.partition(f"\n{COMMANDS}:\n")[0]
    # CLI11 starts a new line before the help of a flag whose name is too long for its column.
    text = re.sub(r"^(  -\S+(?: \S+)?)\n {10,}", r"\1  ", text, flags=re.MULTILINE)
    group = ""
    for line in text.splitlines():
        if re.fullmatch(r"\S.*:", line):
            group = line.removesuffix(":")
        elif match := re.fullmatch(r"  (-\S+)(?: (?! )([^\s=]+)(?:=(\S+))?)? {2,}(\S.*)", line):
            names, value, default, help_text = match.groups()
            yield Flag(group, tuple(names.split(",")), value or "", default or "", help_text)
        elif line.startswith(" "):
            raise ValueError(f"a line of --help that is no flag: {line!r}")


def read(program):
    def said(*arguments):
        return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout

    text = said("--help")
    version = re.search(r"version (\S+)", said("--version")).group(1)
    commands = (
        Command(name, help_text, tuple(flag for flag in parse(said(name, "--help")) if "--help" not in flag.names))
        for name, help_text in parse_commands(text)
    )
    return Help(version, text.splitlines()[0], tuple(parse(text)), tuple(commands))
