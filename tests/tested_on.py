"""README.md's table of what the exporter was tested on. The runs that test it write its rows."""

import re

from tools import ROOT

README = ROOT / "README.md"


def write_row(name, value):
    """Replaces the value in a row. Raises ValueError if the table has no such row."""
    text, count = re.subn(rf"(?m)^(\| {re.escape(name)} \| ).* \|$", lambda found: f"{found[1]}{value} |", README.read_text())
    if count != 1:
        raise ValueError(f"{README} has {count} rows {name!r}")
    README.write_text(text)
