"""Cost targets of the exporter."""

import dataclasses
from collections.abc import Callable

LARGE = 300_000
SMALL = 1_000
FEW = 50


@dataclasses.dataclass
class Target:
    name: str
    limit: float
    at: int  # the number of sockets that the limit is for
    value: Callable  # (Figures of one size, {sockets: Figures} of all sizes) -> float or None


def _ratio(name, subject, other, limit, at=LARGE):
    return Target(f"CPU, {name}", limit, at, lambda figures, _: figures.ratio(subject, other))


def _growth(figures, by_sockets):
    small = by_sockets.get(SMALL)
    resident = figures.memory("default", "resident")
    return resident / small.memory("default", "resident") if small and resident else None


def _user_ms(figures, _):
    user = figures.split("default", "user")
    return None if user is None else user * 1e3


def _start_ms(figures, _):
    wall = figures.median("start", "wall")
    return None if wall is None else wall * 1e3


def _threads(figures, _):
    memory = figures.row["memory"].get("default")
    return memory["threads"] if memory else None


def _resident_mib(figures, _):
    return figures.memory("default", "resident")


def _ms_per_namespace(figures, _):
    """Returns the cost beyond that of a scrape without other network namespaces."""
    without, with_namespaces = figures.median("default", "cpu"), figures.median("namespaces", "cpu")
    if without is None or with_namespaces is None:
        return None
    return max(0, with_namespaces - without) * 1e3 / figures.row["namespaces"]


TARGETS = [
    _ratio("three collectors / node_exporter's three", "three", "node", 0.33, at=FEW),
    _ratio("default scrape / node_exporter's three", "default", "node", 0.5, at=FEW),
    _ratio("default scrape / node_exporter's three", "default", "node", 0.08),
    _ratio("default scrape / bare full dump", "default", "dump", 0.25),
    _ratio("default scrape / bare partial dump", "default", "partial", 1.3),
    _ratio("scrape with a full dump / bare full dump", "full", "dump", 1.25),
    _ratio("the same with struct tcp_info / bare full dump", "info", "dump", 2),
    Target("user CPU of a default scrape, ms", 5, LARGE, _user_ms),
    Target("CPU for each other network namespace, ms", 0.15, FEW, _ms_per_namespace),
    _ratio("`sockets` / ss -Htan", "sockets", "ss", 1, at=FEW),
    _ratio("`sockets` / ss -Htan", "sockets", "ss", 0.6),
    _ratio("`sockets --top=peer` / ss -Htan", "top", "ss", 0.6),
    Target("from exec to the first answered scrape, ms", 25, FEW, _start_ms),
    Target("threads of an idle exporter", 24, FEW, _threads),
    Target("resident memory, MiB", 10, FEW, _resident_mib),
    Target("resident memory, MiB", 10, LARGE, _resident_mib),
    Target(f"resident memory / that at {SMALL:,}", 1.1, LARGE, _growth),
]


@dataclasses.dataclass
class Verdict:
    target: Target
    value: float | None  # None if this size was not measured

    @property
    def is_missed(self):
        return self.value is not None and self.value > self.target.limit


def verdicts(by_sockets):
    """Returns a verdict for each target."""
    results = []
    for target in TARGETS:
        figures = by_sockets.get(target.at)
        results.append(Verdict(target, target.value(figures, by_sockets) if figures else None))
    return results
