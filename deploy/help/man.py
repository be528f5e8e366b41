"""Generates the man page from inetdiag_exporter.8.in and --help."""

import itertools
import re
from pathlib import Path

TEMPLATE = Path(__file__).with_name("inetdiag_exporter.8.in")


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text)


def _entry(flag):
    names = ", ".join(f"\\fB{escape(name)}\\fR" for name in flag.names)
    value = f" \\fI{escape(flag.type)}\\fR" if flag.type else ""
    default = f" (default {escape(flag.default)})" if flag.default else ""
    return f".TP\n{names}{value}\n{escape(flag.help)}{default}\n"


def _groups(flags):
    for group, members in itertools.groupby(flags, key=lambda flag: flag.group):
        yield f".SS {escape(group)}\n" + "".join(_entry(flag) for flag in members)


def _commands(commands):
    for command in commands:
        flags = "".join(_entry(flag) for flag in command.flags)
        yield f".SS {escape(command.name)}\n{escape(command.help)}.\n{flags}"


def page(help_):
    text = TEMPLATE.read_text(encoding="utf-8")
    text = text.replace("@VERSION@", help_.version)
    text = text.replace("@SUMMARY@", escape(help_.summary))
    text = text.replace("@COMMANDS@\n", "".join(_commands(help_.commands)))
    return text.replace("@FLAGS@\n", "".join(_groups(help_.flags)))
