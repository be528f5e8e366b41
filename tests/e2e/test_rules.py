"""The rules and alerts of deploy/prometheus: syntax, conventions, unit tests and runbooks."""

import re
import subprocess

import pytest
import yaml

from rules_and_dashboards import (
    PROMETHEUS,
    PROMETHEUS_METRICS,
    ROOT,
    RUNBOOKS,
    alerts,
    metrics_in,
    recorded_metrics,
    rules,
)
from test_page import GOLDEN, reference_rows

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


def test_each_alert_has_one_runbook():
    pages = {alert["annotations"]["runbook_url"]: alert["alert"] for alert in alerts()}
    existing = {f"{RUNBOOKS.relative_to(ROOT)}/{page.name}": page.stem for page in RUNBOOKS.glob("Inetdiag*.md")}
    assert pages == existing


def test_runbooks_have_the_same_sections():
    sections = ["What it means", "Confirm", "Change", "Leave alone", "See that it worked"]
    for alert in alerts():
        text = (RUNBOOKS / f"{alert['alert']}.md").read_text()
        assert text.startswith(f"# {alert['alert']}\n")
        assert re.findall(r"^## (.*)$", text, re.M) == sections, alert["alert"]
        confirm = text.split("## Confirm")[1].split("\n## ")[0]
        assert "```sh\n" in confirm, f"{alert['alert']} has no command under Confirm"


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


def test_documented_command_adds_a_base_url_to_every_runbook(tmp_path):
    index = (RUNBOOKS / "README.md").read_text()
    command = re.search(r"^sed -i .*$", index, re.M).group()
    base = re.search(r"https://[^#]*/", command).group()
    copy = tmp_path / "deploy" / "prometheus" / "alerts.yaml"
    copy.parent.mkdir(parents=True)
    copy.write_text((PROMETHEUS / "alerts.yaml").read_text())
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    changed = [
        rule["annotations"]["runbook_url"]
        for group in yaml.safe_load(copy.read_text())["groups"]
        for rule in group["rules"]
    ]
    assert changed == [base + alert["annotations"]["runbook_url"] for alert in alerts()]


def known_metrics():
    """Returns the metrics of the reference and, for nstat, which it describes by a rule, of the golden page."""
    counters = re.findall(r"^(inetdiag_nstat_\w+) ", GOLDEN.read_text(), re.M)
    return set(reference_rows()) | set(counters) | PROMETHEUS_METRICS


def test_rules_and_alerts_name_metrics_that_exist():
    known = known_metrics()
    for rule in rules("rules.yaml"):
        named = metrics_in(rule["expr"])
        assert named and named <= known, rule["record"]
        known.add(rule["record"])
    for alert in alerts():
        named = metrics_in(alert["expr"])
        assert named and named <= known, alert["alert"]


def test_every_recorded_series_is_used():
    used = {name for rule in alerts() + rules("rules.yaml") for name in metrics_in(rule["expr"])}
    assert used >= recorded_metrics()


def test_runbook_commands_run():
    """Runs ss and nstat. Other commands need a program, a service or the host's namespace."""
    executed = 0
    for page in sorted(RUNBOOKS.glob("Inetdiag*.md")):
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.S):
            for line in block.splitlines():
                syntax = subprocess.run(["bash", "-n", "-c", line], capture_output=True, text=True, check=False)
                assert syntax.returncode == 0, (page.name, line, syntax.stderr)
                for part in re.split(r";\s*", line.split("  #")[0]):
                    if re.match(r"(ss|nstat) ", part):
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
