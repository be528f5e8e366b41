"""What the exporter may cost, and whether it keeps to it."""

import dataclasses
from collections.abc import Callable

LARGE = 300_000
SMALL = 1_000
WITH_NAMESPACES = 200_000
FEW = 50


@dataclasses.dataclass
class Target:
    name: str
    limit: float
    at: int  # the number of sockets that the limit is for
    value: Callable  # of the Figures of one size and those of all sizes by their sockets


def _ratio(name, subject, other, limit, at=LARGE):
    return Target(f"CPU, {name}", limit, at, lambda figures, _: figures.ratio(subject, other))


def _growth(figures, by_sockets):
    small = by_sockets.get(SMALL)
    here = figures.memory("default", "resident")
    return here / small.memory("default", "resident") if small and here else None


def _user_ms(figures, _):
    user = figures.part("default", "user")
    return None if user is None else user * 1e3


def _ms_of_a_namespace(figures, _):
    """Beyond three scrapes without them."""
    without, all_of_them = figures.median("default", "cpu"), figures.median("namespaces", "cpu")
    if without is None or all_of_them is None:
        return None
    return max(0, all_of_them - 3 * without) * 1e3 / figures.row["namespaces"]


TARGETS = [
    _ratio("default scrape / bare dump", "default", "dump", 0.25),
    _ratio("default scrape / bare walk", "default", "walk", 1.3),
    _ratio("default scrape / node_exporter", "default", "node", 0.08),
    _ratio("scrape with a full dump / bare dump", "full", "dump", 1.25),
    _ratio("three collectors / node_exporter", "three", "node", 0.5, at=FEW),
    _ratio("`sockets` / ss -Htan", "sockets", "ss", 0.6),
    Target("user CPU of a default scrape, ms", 5, LARGE, _user_ms),
    Target(f"resident memory / that at {SMALL:,}", 1.1, LARGE, _growth),
    Target(
        "CPU beyond three scrapes, for each of the other namespaces, ms",
        1,
        WITH_NAMESPACES,
        _ms_of_a_namespace,
    ),
    Target(
        "resident memory, MiB", 16, LARGE, lambda figures, _: figures.memory("default", "resident")
    ),
]


@dataclasses.dataclass
class Verdict:
    target: Target
    value: float | None  # None: its size was not measured

    @property
    def is_missed(self):
        return self.value is not None and self.value > self.target.limit


def verdicts(by_sockets):
    """One for each target."""
    found = []
    for target in TARGETS:
        figures = by_sockets.get(target.at)
        found.append(Verdict(target, target.value(figures, by_sockets) if figures else None))
    return found
