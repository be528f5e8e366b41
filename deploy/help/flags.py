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
class Help:
    version: str
    summary: str
    flags: tuple[Flag, ...]


def parse(text):
    """Yields the flags of a --help."""
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
    def said(flag):
        return subprocess.run([program, flag], check=True, capture_output=True, text=True).stdout

    text = said("--help")
    version = re.search(r"version (\S+)", said("--version")).group(1)
    return Help(version, text.splitlines()[0], tuple(parse(text)))
