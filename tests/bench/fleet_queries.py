"""Query times of the dashboards, with the recording rules that they use and without."""

import concurrent.futures
import dataclasses
import pathlib
import re
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "e2e"))

from rules_and_dashboards import DASHBOARDS, load_dashboard, panels, rules  # noqa: E402

FLEET_DASHBOARDS = ("overview", "pods")
# What Grafana asks for three hours, the default range of the dashboards, at a scrape interval of 15 s.
STEPS = 720
RATE_INTERVALS = 4  # $__rate_interval in scrape intervals
REPETITIONS = 3
SLOW = 0.5  # seconds; such a query is not repeated
BROWSER_CONNECTIONS = 6


@dataclasses.dataclass
class Query:
    dashboard: str
    panel: str
    ref: str
    is_range: bool
    expression: str
    without_rules: str

    @property
    def uses_rules(self):
        return self.expression != self.without_rules


def dashboard_queries(interval):
    """Returns the queries of the dashboards that show many hosts, for all jobs and hosts."""
    recorded = {rule["record"]: rule["expr"].strip() for rule in rules("rules.yaml")}
    found = []
    for file in DASHBOARDS:
        if file.stem not in FLEET_DASHBOARDS:
            continue
        for panel in panels(load_dashboard(file)):
            for target in panel["targets"]:
                text = target["expr"].replace("$__rate_interval", f"{RATE_INTERVALS * interval}s")
                # The values of "All" in the dashboards.
                text = re.sub(r"\$(job|instance)\b", ".+", re.sub(r"\$(pod_namespace|pod)\b", ".*", text))
                without = _without_rules(text, recorded)
                name, ref = panel["title"], target["refId"]
                found.append(Query(file.stem, name, ref, bool(target.get("range")), text, without))
    return found


def _without_rules(expression, recorded):
    """Replaces recorded series by the expressions of their rules. Selectors that match everything are dropped."""

    def expanded(name):
        # The rule has the maximum between two evaluations; a query without the rule has the last value.
        rule = re.sub(r"max_over_time\((\w+)\[2m\]\)", r"\1", recorded[name])
        return f"({_without_rules(rule, recorded)})"

    def expanded_pattern(match):
        names = [name for name in recorded if re.fullmatch(match[1], name)]
        return f"({' or '.join(map(expanded, names))})" if names else match[0]

    expression = re.sub(r'\{__name__=~"([^"]+)"[^}]*\}', expanded_pattern, expression)
    return re.sub(r"\b([a-z]+:[a-z_]+:\w+)(?:\{[^}]*\})?", lambda match: expanded(match[1]), expression)


def _seconds(prometheus, query, expression, window):
    arguments = (window, STEPS) if query.is_range else ()
    return prometheus.query_seconds(expression, *arguments)


def measure(prometheus, queries, window):
    """Returns one row for each query: medians, with and without rules in alternation."""
    rows = []
    for query in queries:
        expressions = [query.expression, query.without_rules] if query.uses_rules else [query.expression]
        samples = [[] for _ in expressions]
        while len(samples[-1]) < REPETITIONS and max(samples[-1], default=0) < SLOW:
            for number, expression in enumerate(expressions):
                seconds, series = _seconds(prometheus, query, expression, window)
                samples[number].append(seconds)
        medians = [statistics.median(each) for each in samples]
        row = {"dashboard": query.dashboard, "panel": query.panel, "ref": query.ref, "is_range": query.is_range}
        rows.append(row | {"seconds": medians[0], "without_rules": medians[-1], "series": series})
    return rows


def loading_seconds(prometheus, queries, window):
    """Returns {dashboard: [seconds with rules, without rules]} of all its queries, as many at a time as a browser sends."""
    return {
        dashboard: [
            _loading(prometheus, [query for query in queries if query.dashboard == dashboard], attribute, window)
            for attribute in ("expression", "without_rules")
        ]
        for dashboard in FLEET_DASHBOARDS
    }


def _loading(prometheus, queries, attribute, window):
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(BROWSER_CONNECTIONS) as browser:
        list(browser.map(lambda query: _seconds(prometheus, query, getattr(query, attribute), window), queries))
    return time.monotonic() - begin
