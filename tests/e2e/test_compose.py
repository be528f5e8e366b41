"""deploy/compose.yaml as far as it can be checked without containers: what it mounts exists, and what
each program looks for is where it looks."""

import subprocess
from pathlib import PurePosixPath

import pytest
import yaml

from promql import ROOT, dashboard

pytestmark = pytest.mark.once

COMPOSE = ROOT / "deploy" / "compose.yaml"
SERVICES = yaml.safe_load(COMPOSE.read_text())["services"]


def mounts(service):
    """{where the program sees it: the file or folder of this repository}."""
    parts = [mount.split(":") for mount in SERVICES[service]["volumes"]]
    return {PurePosixPath(part[1]): (COMPOSE.parent / part[0]).resolve() for part in parts if part[0].startswith(".")}


def seen_by(service, path):
    """The file of this repository that the service sees at this path."""
    path = PurePosixPath(path)
    for at, source in mounts(service).items():
        if path.is_relative_to(at):
            return source / path.relative_to(at)
    raise AssertionError(f"{service} sees nothing at {path}")


def test_what_is_mounted_exists():
    for service in ("prometheus", "grafana"):
        assert mounts(service)
        for source in mounts(service).values():
            assert source.exists(), source


def test_prometheus_finds_rules_and_the_exporter(tmp_path):
    command = SERVICES["prometheus"]["command"]
    (config,) = [c.split("=")[1] for c in command if c.startswith("--config.file=")]
    text = seen_by("prometheus", config).read_text()
    settings = yaml.safe_load(text)
    (pattern,) = settings["rule_files"]
    loaded = {at.name for at in mounts("prometheus") if at.match(pattern)}
    assert loaded == {"rules.yaml", "alerts.yaml"}
    (targets,) = [s["targets"] for job in settings["scrape_configs"] for s in job["static_configs"]]
    assert [f"--web.listen-address={target}" for target in targets] == SERVICES["exporter"]["command"]
    copy = tmp_path / "prometheus.yaml"
    copy.write_text(text.replace("/etc/prometheus/rules", str(ROOT / "deploy" / "prometheus")))
    result = subprocess.run(["promtool", "check", "config", copy], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_grafana_finds_dashboards_and_prometheus():
    environment = SERVICES["grafana"]["environment"]
    provider = yaml.safe_load(
        seen_by("grafana", "/etc/grafana/provisioning/dashboards/inetdiag.yaml").read_text()
    )["providers"][0]
    boards = [dashboard(f) for f in seen_by("grafana", provider["options"]["path"]).rglob("*.json")]
    assert len(boards) == 5
    home = seen_by("grafana", environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert dashboard(home)["uid"] == "inetdiag-overview"
    source = yaml.safe_load(
        seen_by("grafana", "/etc/grafana/provisioning/datasources/inetdiag.yaml").read_text()
    )["datasources"][0]
    listens = [c for c in SERVICES["prometheus"]["command"] if c.startswith("--web.listen-address=")]
    assert source["url"] == "$PROMETHEUS_URL"
    assert [f"--web.listen-address={environment['PROMETHEUS_URL'].removeprefix('http://')}"] == listens


def test_nobody_else_reaches_them():
    for name, service in SERVICES.items():
        assert service["network_mode"] == "host" and "ports" not in service, name
    assert SERVICES["grafana"]["environment"]["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
