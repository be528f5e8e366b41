"""Renders the Helm chart.

Debian has no helm. tests/helm/render.go renders the templates with what Helm itself uses, text/template and sprig.
"""

import copy
import json
import os
import shutil
from pathlib import Path

import jsonschema
import pytest
import yaml

from tools import ROOT, output

CHART = ROOT / "deploy/helm/inetdiag-exporter"
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
RELEASE = NAMESPACE = "inetdiag-exporter"
GOPATH = "/usr/share/gocode"


def merge(defaults, values):
    """As Helm merges values with values.yaml: null removes a value."""
    merged = copy.deepcopy(defaults)
    for name, value in values.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = merge(merged[name], value)
        else:
            merged[name] = value
    return merged


def schema_errors(values):
    return [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(merge(DEFAULTS, values))]


def build_renderer(directory):
    """Returns the program. Skips the test if it cannot be built."""
    if not shutil.which("go") or not os.path.isdir(f"{GOPATH}/src/github.com/Masterminds/sprig"):
        pytest.skip("Go or its library sprig is not installed")
    program = Path(directory) / "render"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": GOPATH, "GOFLAGS": "", "CGO_ENABLED": "0"}
    output("go", "build", "-o", program, ROOT / "tests/helm/render.go", env=environment)
    return program


def request(values, chart=CHART, release=RELEASE, namespace=NAMESPACE):
    """Returns the input of the renderer."""
    return json.dumps(
        {"chart": str(chart), "release": release, "namespace": namespace, "values": merge(DEFAULTS, values)}
    )


def render_texts(renderer, values, **options):
    """Returns the rendered templates: {name: text}."""
    assert schema_errors(values) == []
    return json.loads(output(renderer, input=request(values, **options)))


def render_objects(renderer, values, **options):
    texts = render_texts(renderer, values, **options)
    manifests = [text for name, text in texts.items() if name.endswith(".yaml")]
    return [found for text in manifests for found in yaml.safe_load_all(text) if found]
