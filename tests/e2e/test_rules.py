"""The rules and alerts of deploy/prometheus: syntax, conventions, unit tests and runbooks."""

import json
import os
import re
import shutil
import subprocess
import urllib.parse

import pytest
import yaml

import exposition

from rules_and_dashboards import (
    DASHBOARDS,
    PROMETHEUS,
    PROMETHEUS_METRICS,
    ROOT,
    RUNBOOKS,
    alerts,
    load_dashboard,
    metrics_in,
    queries,
    recorded_metrics,
    rules,
)
from test_page import GOLDEN, OTHER_SETUPS

pytestmark = pytest.mark.plain_only

UNIT_TESTS = sorted((PROMETHEUS / "tests").glob("*.yaml"))


def promtool(*arguments):
    result = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_promtool_accepts_the_rules():
    promtool("check", "rules", PROMETHEUS / "rules.yaml", PROMETHEUS / "alerts.yaml")


def test_promtool_unit_tests_pass():
    promtool("test", "rules", *UNIT_TESTS)


def test_every_alert_has_a_firing_and_a_silent_unit_test():
    cases = [
        case
        for file in UNIT_TESTS
        for test in yaml.safe_load(file.read_text())["tests"]
        for case in test.get("alert_rule_test", [])
    ]
    names = {alert["alert"] for alert in alerts()}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == names


def test_alerts_follow_the_conventions():
    names = [alert["alert"] for alert in alerts()]
    assert len(names) == len(set(names))
    for alert in alerts():
        name = alert["alert"]
        assert re.fullmatch(r"Inetdiag([A-Z][a-z0-9]+)+", name), name
        assert set(alert) == {"alert", "expr", "for", "labels", "annotations"}, name
        assert set(alert["labels"]) == {"severity"}, name
        assert alert["labels"]["severity"] in ("info", "warning", "critical"), name
        assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}, name
        assert "$value" in alert["annotations"]["description"], f"{name}: the description has no value"


def test_every_alert_has_a_runbook_and_every_runbook_an_alert():
    urls = {alert["alert"]: alert["annotations"]["runbook_url"] for alert in alerts()}
    for name, url in urls.items():
        parts = urllib.parse.urlsplit(url)
        assert parts.scheme in ("http", "https") and parts.netloc, f"{name}: {url} is not an absolute URL"
        assert parts.path.rpartition("/")[2] == f"{name}.md", url
    assert {page.stem for page in RUNBOOKS.glob("Inetdiag*.md")} == set(urls)


def test_runbooks_have_the_same_sections():
    for alert in alerts():
        text = (RUNBOOKS / f"{alert['alert']}.md").read_text()
        assert text.startswith(f"# {alert['alert']}\n")
        assert re.findall(r"^## (.*)$", text, re.M) == ["Meaning", "Impact", "Diagnosis", "Mitigation"], alert["alert"]
        diagnosis = text.split("## Diagnosis")[1].split("\n## ")[0]
        assert "```sh\n" in diagnosis, f"{alert['alert']}: no command under Diagnosis"
        assert "\n### Verification\n" in text, alert["alert"]


def test_runbooks_name_metrics_that_exist():
    known = known_metrics() | recorded_metrics() | {"inetdiag_exporter"}  # the program's name
    for page in RUNBOOKS.glob("*.md"):
        prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
        named = {name for code in re.findall(r"`([^`]+)`", prose) for name in metrics_in(code)}
        assert named <= known, page.name


def test_runbook_index_lists_every_alert():
    index = (RUNBOOKS / "README.md").read_text()
    listed = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \|", index, re.M)
    assert listed == [(a["alert"], a["alert"], a["labels"]["severity"]) for a in alerts()]


@pytest.fixture
def jsonnet():
    return shutil.which("jsonnet") or pytest.skip("jsonnet is not installed")


@pytest.fixture
def generate(tmp_path, jsonnet):  # pylint: disable=unused-argument
    """Runs grafana/mixin/generate in a copy. Returns the folder of the rules."""
    shutil.copytree(ROOT / "grafana", tmp_path / "grafana")
    copy = tmp_path / "deploy" / "prometheus"
    shutil.copytree(PROMETHEUS, copy)

    def run(**environment):
        result = subprocess.run(
            [tmp_path / "grafana" / "mixin" / "generate"],
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return copy, result

    return run


def test_rules_and_dashboards_are_those_of_the_mixin(generate):
    copy, result = generate()
    assert result.returncode == 0, result.stderr
    for file in [PROMETHEUS / "alerts.yaml", PROMETHEUS / "rules.yaml", *UNIT_TESTS, *DASHBOARDS]:
        generated = copy.parents[1] / file.relative_to(ROOT)
        assert generated.read_text() == file.read_text(), f"run grafana/mixin/generate: {file}"


MIXIN = """
local mixin = (import 'mixin.libsonnet') + {
  _config+:: { selector: 'cluster="prod"', jobSelector: 'job="queues"', nearlyFullRatio: 0.7 },
};
{ rules: mixin.prometheusRules, alerts: mixin.prometheusAlerts }
"""


def test_mixin_inserts_selectors_and_thresholds(jsonnet):
    generated = subprocess.run(
        [jsonnet, "-e", MIXIN], cwd=ROOT / "grafana" / "mixin", check=True, capture_output=True, text=True
    )
    groups = [group for part in json.loads(generated.stdout).values() for group in part["groups"]]
    expressions = {rule.get("alert", rule.get("record")): rule["expr"] for group in groups for rule in group["rules"]}
    assert expressions["InetdiagExporterDown"] == 'up{cluster="prod", job="queues"} == 0'
    assert expressions["InetdiagConntrackNearLimit"] == "instance:inetdiag_conntrack:fill_ratio > 0.7"
    for name, expression in expressions.items():
        for metric, labels in re.findall(r"(?<![\w:])(inetdiag_\w+|up)\b(?![\w:(])(\{[^}]*\})?", expression):
            assert 'cluster="prod"' in labels, (name, metric)


def test_runbook_base_is_configurable(generate):
    base = "https://wiki.example/runbooks"
    copy, result = generate(RUNBOOK_BASE=f"{base}/")
    assert result.returncode == 0, result.stderr
    groups = yaml.safe_load((copy / "alerts.yaml").read_text())["groups"]
    found = {rule["alert"]: rule["annotations"]["runbook_url"] for group in groups for rule in group["rules"]}
    assert found == {alert["alert"]: f"{base}/{alert['alert']}.md" for alert in alerts()}
    promtool("test", "rules", copy / "tests/exporter.yaml")


@pytest.mark.parametrize("base", ["deploy/prometheus/runbooks", "/runbooks", "https://", "https://a/#b"])
def test_runbook_base_must_be_an_absolute_url(generate, base):
    copy, result = generate(RUNBOOK_BASE=base)
    assert result.returncode == 1 and "must be an absolute http or https URL" in result.stderr
    assert (copy / "alerts.yaml").read_text() == (PROMETHEUS / "alerts.yaml").read_text()


def known_metrics():
    """Returns the metrics of the golden pages."""
    exported = set()
    for page in (GOLDEN, OTHER_SETUPS):
        for name, family in exposition.parse(page.read_text()).items():
            is_histogram = family.type == "histogram"
            exported |= {name + suffix for suffix in ("_bucket", "_sum", "_count")} if is_histogram else {name}
    return exported | PROMETHEUS_METRICS


def test_rules_and_alerts_name_metrics_that_exist():
    known = known_metrics()
    for rule in rules("rules.yaml"):
        named = metrics_in(rule["expr"])
        patterns = re.findall(r'__name__=~"([^"]+)"', rule["expr"])
        assert (named or patterns) and named <= known, rule["record"]
        assert all(any(re.fullmatch(pattern, name) for name in known) for pattern in patterns), rule["record"]
        known.add(rule["record"])
    for alert in alerts():
        named = metrics_in(alert["expr"])
        assert named and named <= known, alert["alert"]


def test_every_recorded_series_is_used():
    used = {name for rule in alerts() + rules("rules.yaml") for name in metrics_in(rule["expr"])}
    used |= {name for page in RUNBOOKS.glob("Inetdiag*.md") for name in metrics_in(page.read_text())}
    used |= {name for file in DASHBOARDS for _, expr in queries(load_dashboard(file)) for name in metrics_in(expr)}
    assert used >= recorded_metrics()


def test_runbook_commands_run():
    """Runs what needs no service and not the host's namespace: ss, nstat, some of ip, and what reads /proc."""
    executed = 0
    for page in sorted(RUNBOOKS.glob("Inetdiag*.md")):
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.S):
            for line in block.splitlines():
                syntax = subprocess.run(["bash", "-n", "-c", line], capture_output=True, text=True, check=False)
                assert syntax.returncode == 0, (page.name, line, syntax.stderr)
                for part in re.split(r";\s*", line.split("  #")[0]):
                    if re.match(r"(ss|nstat|ip -s ntable|ip neigh|cat /proc/net|awk|grep FRAG) ?", part):
                        result = subprocess.run(part, shell=True, capture_output=True, text=True, check=False)
                        expected = (0, 1) if "grep" in part else (0,)
                        assert result.returncode in expected and result.stderr == "", (page.name, part)
                        executed += 1
    assert executed > 2 * len(alerts())


def test_nstat_counters_of_runbooks_exist():
    known = set(re.findall(r"^# HELP inetdiag_nstat_\w+ (\w+)", GOLDEN.read_text(), re.M))
    for page in RUNBOOKS.glob("Inetdiag*.md"):
        for command in re.findall(r"nstat -asz ((?:[A-Z]\w+ ?)+)", page.read_text()):
            assert set(command.split()) <= known, page.name
