"""The dashboards of grafana/ as files: conventions that Grafana's types do not hold. The types are
checked by tests/dashboards, the queries on real data by test_story.py."""

import itertools
import re

import pytest
import yaml

from promql import DASHBOARDS, ROOT, alerts, dashboard, metrics_in, panels, queries, recorded, rules
from test_rules import known_metrics, promtool

pytestmark = pytest.mark.once

SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)?\{((?:[^{}\"]|\"(?:[^\"\\]|\\.)*\")*)\}")
MATCHERS = ('job=~"$job"', 'instance=~"$instance"')


@pytest.fixture(params=DASHBOARDS, ids=lambda file: file.stem)
def file(request):
    return request.param


def rectangle(panel):
    at = panel["gridPos"]
    return {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}


def test_there_are_five():
    assert [file.stem for file in DASHBOARDS] == ["host", "listener", "overview", "pods", "tcp"]


def test_panels_are_told_apart_and_do_not_overlap(file):
    board = dashboard(file)
    everything = [p for row in board["panels"] for p in [row, *row.get("panels", [])]]
    ids = [panel["id"] for panel in everything]
    assert len(ids) == len(set(ids))
    for panel in everything:
        at = panel["gridPos"]
        assert at["x"] >= 0 and at["w"] > 0 and at["x"] + at["w"] <= 24 and at["h"] > 0, panel["title"]
    for one, other in itertools.combinations(everything, 2):
        assert not rectangle(one) & rectangle(other), (one["title"], other["title"])


def test_a_dashboard_can_be_provisioned_and_found(file):
    board = dashboard(file)
    assert board["uid"] == f"inetdiag-{file.stem}"
    assert board["editable"] is False
    assert "inetdiag" in board["tags"]
    # A number of its own would hit another dashboard; an input is asked for by hand.
    assert "id" not in board and "__inputs" not in board
    assert "${DS_" not in file.read_text()


def test_variables_choose_source_job_and_instance(file):
    variables = {v["name"]: v for v in dashboard(file)["templating"]["list"]}
    assert [v["name"] for v in variables.values() if v["type"] == "datasource"] == ["datasource"]
    for name, variable in variables.items():
        if variable["type"] == "datasource":
            continue
        assert variable["multi"] and variable["includeAll"], name
        assert variable["datasource"]["uid"] == "${datasource}", name
        assert metrics_in(variable["query"]) <= known_metrics(), name
    assert {"job", "instance"} <= set(variables)
    # "All" of the instances must not reach into other jobs.
    assert "allValue" not in variables["job"]
    used = set(re.findall(r"\$(\w+)", " ".join(expr for _, expr in queries(dashboard(file)))))
    assert used - {"__rate_interval"} == set(variables) - {"datasource"}


def test_links_carry_the_variables(file):
    board = dashboard(file)
    assert [(link["tags"], link["includeVars"], link["keepTime"]) for link in board["links"]] == [
        (["inetdiag"], True, True)
    ]
    uids = {dashboard(other)["uid"] for other in DASHBOARDS}
    urls = re.findall(r'"url": "([^"]+)"', file.read_text())
    for url in urls:
        assert re.match(r"/d/([\w-]+)\?", url).group(1) in uids, url
        for carried in ("var-datasource=", "var-job=", "var-instance=", "${__url_time_range}"):
            assert carried in url, url
    assert urls or file.stem == "host"


def test_alerts_are_drawn(file):
    (annotation,) = dashboard(file)["annotations"]["list"]
    assert metrics_in(annotation["target"]["expr"]) == {"ALERTS"}
    assert annotation["enable"]


def test_panels_say_what_they_show(file):
    for panel in panels(dashboard(file)):
        assert panel["title"].strip() and panel["description"].strip().endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
        for part in [panel, *panel["targets"]]:
            assert part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
        refs = [target["refId"] for target in panel["targets"]]
        assert len(refs) == len(set(refs)), panel["title"]


def test_limits_beside_usage_are_lines(file):
    """A series whose name begins with "limit" is drawn dashed and not filled. Without the slashes Grafana
    would match whole names only."""
    for panel in panels(dashboard(file)):
        if not any(t.get("legendFormat", "").startswith("limit ") for t in panel["targets"]):
            continue
        (override,) = panel["fieldConfig"]["overrides"]
        assert override["matcher"] == {"id": "byRegexp", "options": "/^limit /"}, panel["title"]
        drawn = {p["id"]: p["value"] for p in override["properties"]}
        assert drawn["custom.lineStyle"]["fill"] == "dash" and drawn["custom.fillOpacity"] == 0, panel["title"]


def test_queries_choose_job_and_instance(file):
    for where, expression in queries(dashboard(file)):
        selectors = SELECTOR.findall(expression)
        # Each metric has a selector, so none is without matchers.
        bare = SELECTOR.sub("", expression)
        assert selectors and not metrics_in(bare), where
        for _, labels in selectors:
            assert all(matcher in labels for matcher in MATCHERS), where


@pytest.mark.parametrize("name", ["host", "tcp"])
def test_a_host_is_shown_without_its_pods(name):
    """A hundred of them would make a hundred lines of each; they have a dashboard of their own."""
    for where, expression in queries(dashboard(ROOT / "grafana" / f"{name}.json")):
        for _, labels in SELECTOR.findall(expression):
            assert 'netns=""' in labels, where


@pytest.mark.parametrize("name", ["overview", "pods"])
def test_a_full_accept_queue_is_listed_where_syn_queues_are_unknown(tmp_path, name):
    """They are in a network namespace that was not walked over yet."""
    board = dashboard(ROOT / "grafana" / f"{name}.json")
    (table,) = [panel for panel in panels(board) if panel["title"] == "Listeners closest to their limit"]
    at = 'job="inetdiag", instance="node", netns="cni-1"'
    listener = f'{at}, address="[::]", port="80"'
    shown = "{" + listener + (', pod_name="web-0"}' if name == "pods" else "}")
    case = {
        "interval": "1m",
        "input_series": [
            {"series": f"inetdiag_listener_accept_queue_fill_ratio{{{listener}}}", "values": "1"},
            {"series": f'inetdiag_netns_info{{{at}, pod_name="web-0"}}', "values": "1"},
        ],
        "promql_expr_test": [
            {
                "expr": re.sub(r"\$\w+", ".*", table["targets"][0]["expr"]),
                "eval_time": "0m",
                "exp_samples": [{"labels": shown, "value": 1}],
            }
        ],
    }
    (tmp_path / "case.yaml").write_text(yaml.safe_dump({"tests": [case]}))
    promtool("test", "rules", tmp_path / "case.yaml")


def test_rates_follow_the_scrape_interval(file):
    for where, expression in queries(dashboard(file)):
        assert set(re.findall(r"\[([^\]]*)\]", expression)) <= {"$__rate_interval"}, where
        for function in re.findall(r"\b(\w+)\((?=[^()]*\[)", expression):
            assert function in ("rate", "increase"), where


def test_queries_name_metrics_that_exist(file):
    for where, expression in queries(dashboard(file)):
        named = metrics_in(expression)
        patterns = re.findall(r'__name__=~"([^"]+)"', expression)
        assert named or patterns, where
        assert named <= known_metrics(), where
        for pattern in patterns:
            assert any(re.fullmatch(pattern, name) for name in known_metrics()), where


def test_alerts_and_dashboards_speak_of_the_same_counters():
    """What an alert looks at can be seen: every counter and gauge that a rule names is drawn somewhere."""
    drawn = {name for file in DASHBOARDS for _, e in queries(dashboard(file)) for name in metrics_in(e)}
    named = {name for rule in rules("rules.yaml") + alerts() for name in metrics_in(rule["expr"])} - recorded()
    # The worst queue of any kind is drawn by a pattern.
    drawn |= {name for name in named if name.endswith("_fill_ratio")}
    assert named <= drawn, named - drawn
