"""Loads the rules, alerts and dashboards of this repository and extracts metric names from them."""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RUNBOOKS = PROMETHEUS / "runbooks"
DASHBOARDS = sorted((ROOT / "grafana").glob("*.json"))

# Series that Prometheus generates.
PROMETHEUS_METRICS = {"up", "ALERTS"}


def rules(file):
    groups = yaml.safe_load((PROMETHEUS / file).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts():
    return rules("alerts.yaml")


def recorded_metrics():
    return {rule["record"] for rule in rules("rules.yaml")}


def metrics_in(expression):
    """Returns the metric names of an expression, without those in strings."""
    without_strings = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    return set(re.findall(r"\b(?:\w+:)?(?:inetdiag|process)_[\w:]+|\bup\b|\bALERTS\b", without_strings))


def load_dashboard(file):
    return json.loads(file.read_text())


def panels(dashboard):
    """Returns all panels but rows."""
    return [p for row in dashboard["panels"] for p in [row, *row.get("panels", [])] if p["type"] != "row"]


def queries(dashboard):
    """Yields (location, expression) of each query of a panel or annotation."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield f"{dashboard['uid']}: {panel['title']} {target['refId']}", target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield f"{dashboard['uid']}: annotation {annotation['name']}", annotation["target"]["expr"]


def minutes_to_seconds(rules):
    """Replaces minutes by seconds in `for` and in ranges.

    The exporter does not read the waiting connections in every scrape of a busy machine, so a range is 5 s or more."""
    accelerated = re.sub(r"\bfor: (\d+)m\b", r"for: \1s", rules)
    accelerated = re.sub(r"\[(\d+)m\]", lambda match: f"[{max(5, int(match[1]))}s]", accelerated)
    accelerated = re.sub(r"\boffset \d+m\b", "offset 5s", accelerated)
    # The phase of faults can be longer than the one before it, and a day has no such phases.
    usual = "avg_over_time(port:inetdiag_tcp_stalled:ratio"
    accelerated = accelerated.replace(usual, usual.replace("avg", "min"))
    assert not re.search(r"\b(for:|offset) \d+[mh]|\[\d+[mh]", accelerated)
    return accelerated
