"""Prometheus accepts the scrape configurations."""

import re
import subprocess

import pytest
import yaml

from tools import ROOT, output

SCRAPE_CONFIGS = ROOT / "deploy/prometheus/scrape"


@pytest.mark.parametrize("name", ["static", "file", "kubernetes"])
def test_promtool_accepts(name, tmp_path):
    file = SCRAPE_CONFIGS / f"{name}.yaml"
    done = subprocess.run(["promtool", "check", "config", file], capture_output=True, text=True, check=False)
    if "field kubernetes_sd_configs not found" in done.stderr:
        # Debian builds Prometheus without Kubernetes service discovery. Check the rest with static targets.
        configuration = yaml.safe_load(file.read_text())
        for job in configuration["scrape_configs"]:
            del job["kubernetes_sd_configs"]
            job["static_configs"] = [{"targets": ["host:10045"]}]
        (tmp_path / "rest.yaml").write_text(yaml.safe_dump(configuration))
        output("promtool", "check", "config", "--lint-fatal", tmp_path / "rest.yaml")
        return
    assert done.returncode == 0, done.stdout + done.stderr


def test_readme_contains_the_static_configuration():
    blocks = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert (SCRAPE_CONFIGS / "static.yaml").read_text() in blocks
