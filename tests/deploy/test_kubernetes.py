"""The objects of `kubectl apply -k` match their schemas and their sources, and the program accepts its
arguments."""

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from image import container
from tools import ROOT, assert_all_collectors_succeed, get, output, get_when_up, running, version, wait_until

KUBERNETES = ROOT / "deploy/kubernetes"
CHECKER = ROOT / "tests/kubernetes"
NAME = "inetdiag-exporter"
HOST = "127.0.0.1"
# The first kubectl whose kustomize supports `replacements` and `labels`.
MIN_KUBECTL = (1, 22)


@pytest.fixture(scope="module")
def kubectl():
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    installed = json.loads(output("kubectl", "version", "--client", "--output=json"))["clientVersion"]["gitVersion"]
    if tuple(int(number) for number in re.findall(r"\d+", installed)[:2]) < MIN_KUBECTL:
        pytest.skip(f"kubectl {installed} is older than {'.'.join(map(str, MIN_KUBECTL))}")


@pytest.fixture(scope="module")
def render(kubectl):
    """Renders the objects of a kustomization."""

    def run(directory):
        return [found for found in yaml.safe_load_all(output("kubectl", "kustomize", directory)) if found]

    return run


def find(objects, kind, name=NAME):
    (found,) = (each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def overlays():
    return sorted(file.parent for file in (KUBERNETES / "overlays").glob("*/kustomization.yaml"))


@pytest.fixture(scope="module")
def check():
    """Validates objects against their schemas. Returns the errors."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(install, cwd=CHECKER, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"npm cannot fetch its packages: {done.stderr[-300:]}")

    def run(objects):
        done = subprocess.run(
            ["node", CHECKER / "check.mjs"], input=json.dumps(objects), capture_output=True, text=True, check=False
        )
        assert done.stderr == "" and done.returncode == bool(done.stdout), done
        return done.stdout

    return run


@pytest.fixture
def copied(tmp_path):
    """A copy of the sources of the manifests."""
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    shutil.copytree(ROOT / "grafana", tmp_path / "grafana")
    return tmp_path


# Schemas


@pytest.mark.parametrize("directory", [KUBERNETES, *overlays()], ids=lambda directory: directory.name)
def test_objects_match_their_schemas(render, check, directory):
    objects = render(directory)
    assert {"Namespace", "ServiceAccount", "DaemonSet", "NetworkPolicy", "Service"} <= {each["kind"] for each in objects}
    assert check(objects) == ""


def test_checker_reports_unknown_fields_and_invalid_values(render, check):
    objects = render(KUBERNETES / "overlays/prometheus-operator")
    pod = find(objects, "DaemonSet")["spec"]["template"]["spec"]
    pod["hostNetwrok"] = pod.pop("hostNetwork")
    find(objects, "PodMonitor")["spec"]["podMetricsEndpoints"][0]["nodeName"] = "instance"
    find(objects, "Service")["spec"]["ports"][0]["port"] = "metrics"
    errors = check(objects)
    for name in ("hostNetwrok", "nodeName", "data/spec/ports/0/port"):
        assert name in errors


# Sources


def test_generated_files_are_up_to_date(copied):
    generated = ["deploy/kubernetes/overlays/prometheus-operator/prometheusrules.yaml", "grafana/kustomization.yaml"]
    for file in generated:
        (copied / file).unlink(missing_ok=True)
    output(copied / "deploy/kubernetes/generate")
    for file in generated:
        assert (copied / file).read_text() == (ROOT / file).read_text(), f"run deploy/kubernetes/generate: {file}"


def test_operator_overlay_contains_rules_and_dashboards(copied, render, check):
    """Adds one of each with characters that are hard to quote."""
    rules = 'groups: # test\n  - name: a\n    rules:\n      - record: a:b\n        expr: |\n          up\n\n          == 1\n'
    (copied / "deploy/prometheus/test.yaml").write_text(rules)
    (copied / "grafana/test.json").write_text('{\n  "title": "It\'s a \\"test\\"\\n: {{x}}"\n}\n')
    output(copied / "deploy/kubernetes/generate")
    objects = render(copied / "deploy/kubernetes/overlays/prometheus-operator")
    assert check(objects) == ""

    sources = {file.stem: yaml.safe_load(file.read_text()) for file in (copied / "deploy/prometheus").glob("*.yaml")}
    for name, source in sources.items():
        if "groups" in source:
            assert find(objects, "PrometheusRule", f"{NAME}-{name}")["spec"] == source
    for file in (copied / "grafana").glob("*.json"):
        dashboard = find(objects, "ConfigMap", f"{NAME}-dashboard-{file.stem}")
        assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert dashboard["data"] == {f"inetdiag-{file.name}": file.read_text()}
        # `kubectl apply` stores the object in an annotation; this is the limit of all annotations together.
        assert len(json.dumps(dashboard)) < 262_144


def test_image_has_this_version(render):
    (container_spec,) = find(render(KUBERNETES), "DaemonSet")["spec"]["template"]["spec"]["containers"]
    assert container_spec["image"] == f"{NAME}:{version()}"


def test_port_is_set_in_one_place(copied, render):
    file = copied / "deploy/kubernetes/base/daemonset.yaml"
    file.write_text(file.read_text().replace("containerPort: 10045", "containerPort: 9999"))
    objects = render(copied / "deploy/kubernetes")
    assert "10045" not in json.dumps(objects)
    (container_spec,) = find(objects, "DaemonSet")["spec"]["template"]["spec"]["containers"]
    assert "--web.listen-address=[$(HOST_IP)]:9999" in container_spec["args"]
    service = find(objects, "Service")
    assert service["spec"]["ports"][0]["port"] == 9999
    assert service["metadata"]["annotations"]["prometheus.io/port"] == "9999"


def test_readme_example(copied, render, check):
    (example,) = re.findall(r"^```yaml\n(.*?)^```", (KUBERNETES / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    downstream = copied / "downstream"
    shutil.copytree(copied / "deploy", downstream / "inetdiag_exporter/deploy")
    shutil.copytree(copied / "grafana", downstream / "inetdiag_exporter/grafana")
    (downstream / "kustomization.yaml").write_text(example)
    objects = render(downstream)
    assert check(objects) == ""
    (container_spec,) = find(objects, "DaemonSet")["spec"]["template"]["spec"]["containers"]
    assert container_spec["image"] == f"registry.example/{NAME}:{version()}"
    assert container_spec["args"][-1] == "--collector.sysctl.include=net.core.optmem_max"
    assert find(objects, "PodMonitor")["metadata"]["labels"]["release"] == "kube-prometheus-stack"


def test_pod_networks_adds_only_these_privileges(render):
    pod = find(render(KUBERNETES / "overlays/pod-networks"), "DaemonSet")["spec"]["template"]["spec"]
    base = find(render(KUBERNETES), "DaemonSet")["spec"]["template"]["spec"]
    (added,), (original,) = ([each["securityContext"] for each in spec["containers"]] for spec in (pod, base))
    # tests/e2e/test_netns.py checks that they are sufficient.
    assert added.pop("capabilities") == {"drop": ["ALL"], "add": ["SYS_ADMIN", "SYS_PTRACE"]}
    original.pop("capabilities")
    assert added == original
    assert pod["hostPID"] and pod["securityContext"]["runAsUser"] == 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    mounts = {mount["mountPath"]: mount for mount in pod["containers"][0]["volumeMounts"]}
    assert all(mount["readOnly"] for mount in mounts.values())
    assert mounts["/host/run/netns"]["mountPropagation"] == "HostToContainer"


# The program


class Pod:
    """The pod of the DaemonSet and its only container."""

    def __init__(self, objects):
        self.pod = find(objects, "DaemonSet")["spec"]["template"]["spec"]
        (self.container,) = self.pod["containers"]
        (port,) = self.container["ports"]
        self.url = f"http://{HOST}:{port['containerPort']}"
        self.arguments = [argument.replace("$(HOST_IP)", HOST) for argument in self.container["args"]]
        assert not [argument for argument in self.arguments if "$(" in argument]

    def binds(self):
        """Yields (path on the host, path in the container, whether later mounts propagate) of each mount."""
        paths = {volume["name"]: volume["hostPath"]["path"] for volume in self.pod["volumes"]}
        for mount in self.container["volumeMounts"]:
            assert mount["readOnly"]
            yield paths[mount["name"]], mount["mountPath"], mount.get("mountPropagation") == "HostToContainer"

    def probes(self):
        return [self.container[kind]["httpGet"]["path"] for kind in ("livenessProbe", "readinessProbe")]


def on_this_host(arguments, binds, directory):
    """Yields the arguments, with paths of mounts replaced by links in a directory."""
    for source, destination, _ in binds:
        link = directory / destination.lstrip("/")
        link.parent.mkdir(parents=True)
        link.symlink_to(source)
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        found = directory / value.lstrip("/")
        yield f"{flag}={found}" if value.startswith("/") and found.exists() else flag + equals + value


@pytest.mark.parametrize("directory", [KUBERNETES, *overlays()], ids=lambda directory: directory.name)
def test_program_accepts_the_arguments(render, binary, network, tmp_path, directory):
    pod = Pod(render(directory))
    arguments = list(on_this_host(pod.arguments, pod.binds(), tmp_path))
    with running(binary, *arguments) as process:
        assert_all_collectors_succeed(get_when_up(process, f"{pod.url}/metrics"))
        assert all(get(pod.url + path) for path in pod.probes())
    rejected = subprocess.run([binary, *arguments, "--no-such-flag"], capture_output=True, check=False)
    assert rejected.returncode == 1


def test_container_runs_with_the_pod_settings(render, image, containers, network, tmp_path):
    pod = Pod(render(KUBERNETES))
    configuration, root = image
    pod_context, context = pod.pod["securityContext"], pod.container["securityContext"]
    # container() always does this.
    assert context["capabilities"] == {"drop": ["ALL"]} and context["allowPrivilegeEscalation"] is False
    assert pod_context["seccompProfile"] == {"type": "RuntimeDefault"} and pod.pod["hostNetwork"]
    with container(
        tmp_path,
        root,
        configuration["Entrypoint"] + pod.arguments,
        user=(pod_context["runAsUser"], pod_context["runAsGroup"]),
        read_only=context["readOnlyRootFilesystem"],
        binds=pod.binds(),
    ) as process:
        page = get_when_up(process, f"{pod.url}/metrics")
        assert_all_collectors_succeed(page)
        assert all(get(pod.url + path) for path in pod.probes())


@pytest.fixture
def pinned(tmp_path):
    """A shared mount in place of /run/netns."""
    directory = tmp_path / "netns"
    directory.mkdir()
    output("mount", "--bind", directory, directory)
    output("mount", "--make-rshared", directory)
    yield directory
    output("umount", "--recursive", directory)


@pytest.fixture
def isolated_pid():
    """The pid of a process in its own network namespace."""
    process = subprocess.Popen(["unshare", "--net", "sleep", "inf"])
    original = os.stat("/proc/self/ns/net").st_ino
    wait_until("the network namespace exists", lambda: os.stat(f"/proc/{process.pid}/ns/net").st_ino != original)
    yield process.pid
    process.kill()
    process.wait()


def test_container_monitors_pod_networks(render, image, containers, network, tmp_path, pinned, isolated_pid):
    """With the privileges of the overlay and the default seccomp filter for them."""
    pod = Pod(render(KUBERNETES / "overlays/pod-networks"))
    configuration, root = image
    capabilities = [f"CAP_{name}" for name in pod.container["securityContext"]["capabilities"]["add"]]
    (tmp_path / "logs").mkdir()
    host = {"/run/netns": pinned, "/var/log/pods": tmp_path / "logs"}
    file = f"/proc/{isolated_pid}/ns/net"
    inode = os.stat(file).st_ino
    with container(
        tmp_path,
        root,
        [*configuration["Entrypoint"], *pod.arguments, f"--netns.include=^({inode}|late)$"],
        user=(pod.pod["securityContext"]["runAsUser"],) * 2,
        binds=[(host.get(source, source), destination, propagates) for source, destination, propagates in pod.binds()],
        capabilities=capabilities,
        host_pids=pod.pod["hostPID"],
    ) as process:
        page = get_when_up(process, f"{pod.url}/metrics")
        assert_all_collectors_succeed(page)
        assert f'inetdiag_sysctl_net_core_somaxconn{{netns="{inode}"}}' in page
        (pinned / "late").touch()
        output("mount", "--bind", file, pinned / "late")
        page = get(f"{pod.url}/metrics")
        assert_all_collectors_succeed(page)
        assert 'inetdiag_sysctl_net_core_somaxconn{netns="late"}' in page
        pid = output("pgrep", "--full", "--newest", f"netns.include=.*{inode}").strip()
        with open(f"/proc/{pid}/status", encoding="utf-8") as status:
            fields = dict(line.split(":", 1) for line in status.read().splitlines())
        assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 1 << 21 | 1 << 19
        assert (fields["NoNewPrivs"].strip(), fields["Seccomp"].strip()) == ("1", "2")
