"""Prometheus' text format, parsed to families."""

import re
from dataclasses import dataclass, field


@dataclass
class Family:
    type: str
    help: str
    labels: list[str] = field(default_factory=list)  # of all series, in the order of their appearance


def parse(page):
    """{name: Family} of a page."""
    families = {}
    for line in page.splitlines():
        if match := re.fullmatch(r"# HELP (\S+) (.*)", line):
            families[match[1]] = Family("", match[2])
        elif match := re.fullmatch(r"# TYPE (\S+) (\S+)", line):
            families[match[1]].type = match[2]
        elif match := re.fullmatch(r'(\w+)(?:\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\})? \S+', line):
            labels = families[match[1]].labels
            names = re.findall(r'(\w+)="(?:[^"\\]|\\.)*"', match[2] or "")
            labels.extend(name for name in names if name not in labels)
        else:
            raise ValueError(f"not a line of the text format: {line!r}")
    return families


def render(families):
    """A page with one series for each family, whose labels are all empty."""
    lines = []
    for name, family in sorted(families.items()):
        labels = ",".join(f'{label}=""' for label in family.labels)
        series = name + (f"{{{labels}}}" if labels else "")
        lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {family.type}", f"{series} 0"]
    return "\n".join(lines) + "\n"
