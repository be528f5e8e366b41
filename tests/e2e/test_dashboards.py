"""Conventions of the dashboards in grafana/.

tests/dashboards checks their types, test_scenario.py runs their queries on real data."""

import itertools
import re

import pytest
import yaml

from rules_and_dashboards import (
    DASHBOARDS,
    PROMETHEUS,
    ROOT,
    alerts,
    load_dashboard,
    metrics_in,
    panels,
    queries,
    recorded_metrics,
    rules,
)
from test_rules import known_metrics, promtool

pytestmark = pytest.mark.plain_only

SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)?\{((?:[^{}\"]|\"(?:[^\"\\]|\\.)*\")*)\}")
MATCHERS = ('cluster=~"$cluster"', 'job=~"$job"', 'instance=~"$instance"')


@pytest.fixture(params=DASHBOARDS, ids=lambda file: file.stem)
def file(request):
    return request.param


def grid_cells(panel):
    pos = panel["gridPos"]
    return {(x, y) for x in range(pos["x"], pos["x"] + pos["w"]) for y in range(pos["y"], pos["y"] + pos["h"])}


def test_all_dashboards_are_found():
    assert [file.stem for file in DASHBOARDS] == ["host", "listener", "overview", "pods", "tcp"]


def test_panels_have_unique_ids_and_do_not_overlap(file):
    dashboard = load_dashboard(file)
    all_panels = [p for row in dashboard["panels"] for p in [row, *row.get("panels", [])]]
    ids = [panel["id"] for panel in all_panels]
    assert len(ids) == len(set(ids))
    for panel in all_panels:
        pos = panel["gridPos"]
        assert pos["x"] >= 0 and pos["w"] > 0 and pos["x"] + pos["w"] <= 24 and pos["h"] > 0, panel["title"]
    # Grafana moves what is below a collapsed row when it is opened.
    for group in [dashboard["panels"], *(row.get("panels", []) for row in dashboard["panels"])]:
        for one, other in itertools.combinations(group, 2):
            assert not grid_cells(one) & grid_cells(other), (one["title"], other["title"])


def test_dashboards_can_be_provisioned(file):
    dashboard = load_dashboard(file)
    assert dashboard["uid"] == f"inetdiag-{file.stem}"
    assert dashboard["editable"] is False
    assert "inetdiag" in dashboard["tags"]
    # An id may be that of another dashboard, and Grafana asks for the value of an input.
    assert "id" not in dashboard and "__inputs" not in dashboard
    assert "${DS_" not in file.read_text()


def test_variables_select_data_source_job_and_instance(file):
    variables = {v["name"]: v for v in load_dashboard(file)["templating"]["list"]}
    assert [v["name"] for v in variables.values() if v["type"] == "datasource"] == ["datasource"]
    for name, variable in variables.items():
        if variable["type"] == "datasource":
            continue
        assert variable["multi"] and variable["includeAll"], name
        assert variable["datasource"]["uid"] == "${datasource}", name
        assert metrics_in(variable["query"]) <= known_metrics(), name
    assert {"cluster", "job", "instance"} <= set(variables)
    # "All" must not include instances of other jobs.
    assert "allValue" not in variables["job"]
    used = set(re.findall(r"\$([a-z_]\w*)", " ".join(expr for _, expr in queries(load_dashboard(file)))))
    assert used - {"__rate_interval"} == set(variables) - {"datasource"}


def test_links_pass_the_variables_on(file):
    dashboard = load_dashboard(file)
    assert [(link["tags"], link["includeVars"], link["keepTime"]) for link in dashboard["links"]] == [
        (["inetdiag"], True, True)
    ]
    uids = {load_dashboard(other)["uid"] for other in DASHBOARDS}
    urls = re.findall(r'"url": "([^"]+)"', file.read_text())
    for url in urls:
        assert re.match(r"/d/([\w-]+)\?", url).group(1) in uids, url
        for parameter in ("var-datasource=", "var-cluster=", "var-job=", "var-instance=", "${__url_time_range}"):
            assert parameter in url, url
    assert urls or file.stem in ("host", "tcp")


def test_alerts_drops_and_restarts_are_annotations(file):
    annotations = {a["name"]: a for a in load_dashboard(file)["annotations"]["list"]}
    assert list(annotations) == ["Alerts", "Drops", "Restarts"]
    assert metrics_in(annotations["Alerts"]["target"]["expr"]) == {"ALERTS"}
    # The others are enabled by the reader: hosts that drop connections would shade all graphs.
    assert [a["enable"] for a in annotations.values()] == [True, False, True]


def test_panels_have_title_description_and_unit(file):
    for panel in panels(load_dashboard(file)):
        assert panel["title"].strip() and panel["description"].strip().endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
        for element in [panel, *panel["targets"]]:
            assert element["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
        refs = [target["refId"] for target in panel["targets"]]
        assert len(refs) == len(set(refs)), panel["title"]


def test_limits_are_dashed_lines(file):
    """Without the slashes, Grafana would not treat the option as a regular expression."""
    for panel in panels(load_dashboard(file)):
        if not any(t.get("legendFormat", "").startswith("limit ") for t in panel["targets"]):
            continue
        (override,) = panel["fieldConfig"]["overrides"]
        assert override["matcher"] == {"id": "byRegexp", "options": "/^limit /"}, panel["title"]
        values = {p["id"]: p["value"] for p in override["properties"]}
        assert values["custom.lineStyle"]["fill"] == "dash" and values["custom.fillOpacity"] == 0, panel["title"]


def test_queries_select_job_and_instance(file):
    for location, expression in queries(load_dashboard(file)):
        expression = re.sub(r"\$?\.?\{\d+\}", "", expression)  # groups and repetitions of regular expressions
        selectors = SELECTOR.findall(expression)
        without_selectors = SELECTOR.sub("", expression)
        assert selectors and not metrics_in(without_selectors), location
        for _, labels in selectors:
            assert all(matcher in labels for matcher in MATCHERS), location


@pytest.mark.parametrize("name", ["host", "tcp"])
def test_host_dashboards_exclude_pods(name):
    """A panel would have as many lines as the host has pods."""
    for location, expression in queries(load_dashboard(ROOT / "grafana" / f"{name}.json")):
        for _, labels in SELECTOR.findall(expression):
            assert 'netns=""' in labels, location


@pytest.mark.parametrize("name", ["overview", "pods"])
def test_full_accept_queue_is_listed_without_syn_queue(tmp_path, name):
    """The SYN queue of a network namespace is unknown before its first TCP dump."""
    dashboard = load_dashboard(ROOT / "grafana" / f"{name}.json")
    (table,) = [panel for panel in panels(dashboard) if panel["title"] == "Listeners closest to their limit"]
    target = 'job="inetdiag", instance="node", netns="cni-1"'
    listener = f'{target}, address="[::]", port="80"'
    shown = "{" + listener + "}"
    unit_test = {
        "interval": "1m",
        "input_series": [
            {"series": f"inetdiag_listener_accept_queue_fill_ratio{{{listener}}}", "values": "1x3"},
            {"series": f'inetdiag_listener_sockets{{{listener}}}', "values": "1x3"},
            {"series": f'inetdiag_netns_info{{{target}, pod_namespace="shop", pod_name="web-0"}}', "values": "1x3"},
        ],
        "promql_expr_test": [
            {
                "expr": re.sub(r"\$\w+", ".*", table["targets"][0]["expr"]),
                "eval_time": "3m",
                "exp_samples": [{"labels": shown, "value": 1}],
            }
        ],
    }
    test = {"rule_files": [str(PROMETHEUS / "rules.yaml")], "tests": [unit_test]}
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(test))
    promtool("test", "rules", tmp_path / "test.yaml")


def test_rates_follow_the_scrape_interval(file):
    for location, expression in queries(load_dashboard(file)):
        assert set(re.findall(r"\[([^\]]*)\]", expression)) <= {"$__rate_interval"}, location
        for function in re.findall(r"\b(\w+)\((?=[^()]*\[)", expression):
            assert function in ("rate", "increase", "changes"), location


def test_queries_name_metrics_that_exist(file):
    for location, expression in queries(load_dashboard(file)):
        names = metrics_in(expression)
        patterns = re.findall(r'__name__=~"([^"]+)"', expression)
        assert names or patterns, location
        assert names <= known_metrics() | recorded_metrics(), location
        for pattern in patterns:
            assert any(re.fullmatch(pattern, name) for name in known_metrics() | recorded_metrics()), location


def test_dashboards_show_every_metric_of_rules_and_alerts():
    expressions = [expression for file in DASHBOARDS for _, expression in queries(load_dashboard(file))]
    shown = {name for expression in expressions for name in metrics_in(expression)}
    patterns = re.findall(r'__name__=~"([^"]+)"', "\n".join(expressions))
    # A series of labels shows those of the series from which it is recorded.
    info = {rule["record"]: rule["expr"] for rule in rules("rules.yaml") if rule["record"].endswith(":info")}
    for name in list(info) + list(info):
        shown |= metrics_in(info[name]) if name in shown else set()
    used = {name for rule in rules("rules.yaml") + alerts() for name in metrics_in(rule["expr"])} - recorded_metrics()
    shown |= {name for name in used if any(re.fullmatch(pattern, name) for pattern in patterns)}
    assert used <= shown, used - shown
