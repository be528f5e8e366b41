"""deploy/compose.yaml, checked without containers: mounted files exist, and paths and addresses match."""

import subprocess
from pathlib import PurePosixPath

import pytest
import yaml

from rules_and_dashboards import ROOT, load_dashboard

pytestmark = pytest.mark.plain_only

COMPOSE = ROOT / "deploy" / "compose.yaml"
SERVICES = yaml.safe_load(COMPOSE.read_text())["services"]


def mounts(service):
    """Returns {path in the container: path in this repository}."""
    parts = [mount.split(":") for mount in SERVICES[service]["volumes"]]
    return {PurePosixPath(part[1]): (COMPOSE.parent / part[0]).resolve() for part in parts if part[0].startswith(".")}


def mounted_file(service, path):
    """Returns the file of this repository that the service has at this path."""
    path = PurePosixPath(path)
    for target, source in mounts(service).items():
        if path.is_relative_to(target):
            return source / path.relative_to(target)
    raise AssertionError(f"{service} has no mount for {path}")


def test_mounted_files_exist():
    for service in ("prometheus", "grafana"):
        assert mounts(service)
        for source in mounts(service).values():
            assert source.exists(), source


def test_prometheus_finds_rules_and_the_exporter(tmp_path):
    command = SERVICES["prometheus"]["command"]
    (config,) = [c.split("=")[1] for c in command if c.startswith("--config.file=")]
    text = mounted_file("prometheus", config).read_text()
    settings = yaml.safe_load(text)
    (pattern,) = settings["rule_files"]
    loaded = {target.name for target in mounts("prometheus") if target.match(pattern)}
    assert loaded == {"rules.yaml", "alerts.yaml"}
    (targets,) = [s["targets"] for job in settings["scrape_configs"] for s in job["static_configs"]]
    (target,) = targets
    assert f"--web.listen-address={target}" in SERVICES["exporter"]["command"]
    copy = tmp_path / "prometheus.yaml"
    copy.write_text(text.replace("/etc/prometheus/rules", str(ROOT / "deploy" / "prometheus")))
    result = subprocess.run(["promtool", "check", "config", copy], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_grafana_finds_dashboards_and_prometheus():
    environment = SERVICES["grafana"]["environment"]
    provider = yaml.safe_load(
        mounted_file("grafana", "/etc/grafana/provisioning/dashboards/inetdiag.yaml").read_text()
    )["providers"][0]
    dashboards = [load_dashboard(f) for f in mounted_file("grafana", provider["options"]["path"]).rglob("*.json")]
    assert len(dashboards) == 5
    home = mounted_file("grafana", environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert load_dashboard(home)["uid"] == "inetdiag-overview"
    source = yaml.safe_load(
        mounted_file("grafana", "/etc/grafana/provisioning/datasources/inetdiag.yaml").read_text()
    )["datasources"][0]
    listens = [c for c in SERVICES["prometheus"]["command"] if c.startswith("--web.listen-address=")]
    assert source["url"] == "$PROMETHEUS_URL"
    assert [f"--web.listen-address={environment['PROMETHEUS_URL'].removeprefix('http://')}"] == listens


def test_no_service_is_reachable_from_other_hosts():
    for name, service in SERVICES.items():
        assert service["network_mode"] == "host" and "ports" not in service, name
    for name in ("exporter", "prometheus"):
        (address,) = [c for c in SERVICES[name]["command"] if c.startswith("--web.listen-address=")]
        assert address.startswith("--web.listen-address=127.0.0.1:"), name
    assert SERVICES["grafana"]["environment"]["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
