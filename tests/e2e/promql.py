"""The rules, alerts and dashboards of this repository, and what their expressions name."""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RUNBOOKS = PROMETHEUS / "runbooks"
DASHBOARDS = sorted((ROOT / "grafana").glob("*.json"))

# What Prometheus itself makes.
OF_PROMETHEUS = {"up", "ALERTS"}


def rules(file):
    groups = yaml.safe_load((PROMETHEUS / file).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts():
    return rules("alerts.yaml")


def recorded():
    return {rule["record"] for rule in rules("rules.yaml")}


def metrics_in(expression):
    """The names of metrics in an expression, outside of labels and strings."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    return set(re.findall(r"\b(?:\w+:)?(?:inetdiag|process)_[\w:]+|\bup\b|\bALERTS\b", bare))


def dashboard(file):
    return json.loads(file.read_text())


def panels(board):
    """Panels that draw something; rows only hold others."""
    return [p for row in board["panels"] for p in [row, *row.get("panels", [])] if p["type"] != "row"]


def queries(board):
    """(where it stands, expression) of every panel and annotation."""
    for panel in panels(board):
        for target in panel["targets"]:
            yield f"{board['uid']}: {panel['title']} {target['refId']}", target["expr"]
    for annotation in board["annotations"]["list"]:
        yield f"{board['uid']}: annotation {annotation['name']}", annotation["target"]["expr"]
