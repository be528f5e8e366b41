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
            family = families.get(match[1]) or families[re.sub("_(bucket|sum|count)$", "", match[1])]
            names = re.findall(r'(\w+)="(?:[^"\\]|\\.)*"', match[2] or "")
            if family.type == "histogram":
                names = [name for name in names if name != "le"]
            family.labels.extend(name for name in names if name not in family.labels)
        else:
            raise ValueError(f"not a line of the text format: {line!r}")
    return families


def render(families):
    """A page with one series for each family, whose labels are all empty."""
    lines = []
    for name, family in sorted(families.items()):
        labels = ",".join(f'{label}=""' for label in family.labels)
        suffix = "_count" if family.type == "histogram" else ""
        series = name + suffix + (f"{{{labels}}}" if labels else "")
        lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {family.type}", f"{series} 0"]
    return "\n".join(lines) + "\n"
