"""Reads --help-table, the only source of the man page, the shell completions and the tables in docs/cli.md."""

import os
import re
import subprocess
from dataclasses import dataclass

# The flags without a command that a command uses, by their beginning.
SHARED = {
    "check": ("--help", "--collector.", "--netns.", "--path.", "--log."),
    "print": ("--help", "--collector.", "--netns.", "--path.", "--log."),
    "sockets": ("--help", "--path.netns", "--path.procfs", "--log."),
}


@dataclass(frozen=True)
class Flag:
    group: str
    names: tuple[str, ...]
    type: str  # of the value; empty if the flag has none
    choices: tuple[str, ...]  # usual values
    default: str
    help: str


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

    def flags_of(self, command):
        """Returns the flags that have an effect with the command."""
        shared = SHARED[command.name]
        return command.flags + tuple(
            flag for flag in self.flags if any(name.startswith(shared) for name in flag.names)
        )


def words(text):
    return tuple(text.split(",")) if text else ()


def read(program):
    wrapper = os.environ.get("EXE_WRAPPER", "").split()

    def run(*arguments):
        return subprocess.run([*wrapper, program, *arguments], check=True, capture_output=True, text=True).stdout

    version = re.search(r"version (\S+)", run("--version")).group(1)
    summary, commands, flags = "", {}, {"": []}
    for line in run("--help-table").splitlines():
        match line.split("\t"):
            case ["summary", summary]:
                pass
            case ["command", name, text]:
                commands[name] = text
                flags[name] = []
            case ["flag", command, group, names, value, choices, default, text]:
                flags[command].append(Flag(group, words(names), value, words(choices), default, text))
            case _:
                raise ValueError(f"cannot parse --help-table: {line!r}")
    members = tuple(
        Command(name, text, tuple(flag for flag in flags[name] if "--help" not in flag.names))
        for name, text in commands.items()
    )
    return Help(version, summary, tuple(flags[""]), members)
