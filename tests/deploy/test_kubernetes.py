"""What `kubectl apply -k` would send: known to Kubernetes, made from the files that it is made from, and
accepted by the program."""

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from image import container
from tools import ROOT, assert_all_collectors_succeed, get, output, page_of, running, version, wait_until

KUBERNETES = ROOT / "deploy/kubernetes"
CHECKER = ROOT / "tests/kubernetes"
NAME = "inetdiag-exporter"
HOST = "127.0.0.1"
# The first kubectl with a kustomize that knows replacements and `labels`.
OLDEST_KUBECTL = (1, 22)


@pytest.fixture(scope="module")
def kubectl():
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    said = json.loads(output("kubectl", "version", "--client", "--output=json"))["clientVersion"]["gitVersion"]
    if tuple(int(number) for number in re.findall(r"\d+", said)[:2]) < OLDEST_KUBECTL:
        pytest.skip(f"kubectl {said} is older than {'.'.join(map(str, OLDEST_KUBECTL))}")


@pytest.fixture(scope="module")
def render(kubectl):
    """The objects of a kustomization."""

    def objects(folder):
        return [found for found in yaml.safe_load_all(output("kubectl", "kustomize", folder)) if found]

    return objects


def one(objects, kind, name=NAME):
    (found,) = (thing for thing in objects if (thing["kind"], thing["metadata"]["name"]) == (kind, name))
    return found


def overlays():
    return sorted(file.parent for file in (KUBERNETES / "overlays").glob("*/kustomization.yaml"))


@pytest.fixture(scope="module")
def check():
    """Holds objects against their schemas; what is wrong comes back."""
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
    """A copy of what the manifests are made from."""
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    shutil.copytree(ROOT / "grafana", tmp_path / "grafana")
    return tmp_path


# Schemas


@pytest.mark.parametrize("folder", [KUBERNETES, *overlays()], ids=lambda folder: folder.name)
def test_objects_fit_their_schemas(render, check, folder):
    objects = render(folder)
    assert {"Namespace", "ServiceAccount", "DaemonSet", "NetworkPolicy", "Service"} <= {it["kind"] for it in objects}
    assert check(objects) == ""


def test_checker_finds_unknown_fields_and_wrong_values(render, check):
    objects = render(KUBERNETES / "overlays/prometheus-operator")
    pod = one(objects, "DaemonSet")["spec"]["template"]["spec"]
    pod["hostNetwrok"] = pod.pop("hostNetwork")
    one(objects, "PodMonitor")["spec"]["podMetricsEndpoints"][0]["nodeName"] = "instance"
    one(objects, "Service")["spec"]["ports"][0]["port"] = "metrics"
    wrong = check(objects)
    for name in ("hostNetwrok", "nodeName", "data/spec/ports/0/port"):
        assert name in wrong


# One source for each thing


def test_generated_files_are_up_to_date(copied):
    made = ["deploy/kubernetes/overlays/prometheus-operator/prometheusrules.yaml", "grafana/kustomization.yaml"]
    for file in made:
        (copied / file).unlink(missing_ok=True)
    output(copied / "deploy/kubernetes/generate")
    for file in made:
        assert (copied / file).read_text() == (ROOT / file).read_text(), f"run deploy/kubernetes/generate: {file}"


def test_operator_gets_the_rules_and_dashboards(copied, render, check):
    """Of the tree, and one of each that the tree cannot lose."""
    rules = 'groups: # of a test\n  - name: a\n    rules:\n      - record: a:b\n        expr: |\n          up\n\n          == 1\n'
    (copied / "deploy/prometheus/test.yaml").write_text(rules)
    (copied / "grafana/test.json").write_text('{\n  "title": "It\'s a \\"test\\"\\n: {{x}}"\n}\n')
    output(copied / "deploy/kubernetes/generate")
    objects = render(copied / "deploy/kubernetes/overlays/prometheus-operator")
    assert check(objects) == ""

    sources = {file.stem: yaml.safe_load(file.read_text()) for file in (copied / "deploy/prometheus").glob("*.yaml")}
    for name, source in sources.items():
        if "groups" in source:
            assert one(objects, "PrometheusRule", f"{NAME}-{name}")["spec"] == source
    for file in (copied / "grafana").glob("*.json"):
        dashboard = one(objects, "ConfigMap", f"{NAME}-dashboard-{file.stem}")
        assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert dashboard["data"] == {f"inetdiag-{file.name}": file.read_text()}
        # `kubectl apply` writes the object once more into an annotation, which may not be larger.
        assert len(json.dumps(dashboard)) < 262_144


def test_image_is_of_this_version(render):
    (it,) = one(render(KUBERNETES), "DaemonSet")["spec"]["template"]["spec"]["containers"]
    assert it["image"] == f"{NAME}:{version()}"


def test_port_stands_once(copied, render):
    file = copied / "deploy/kubernetes/base/daemonset.yaml"
    file.write_text(file.read_text().replace("containerPort: 10045", "containerPort: 9999"))
    objects = render(copied / "deploy/kubernetes")
    assert "10045" not in json.dumps(objects)
    (it,) = one(objects, "DaemonSet")["spec"]["template"]["spec"]["containers"]
    assert "--web.listen-address=[$(HOST_IP)]:9999" in it["args"]
    service = one(objects, "Service")
    assert service["spec"]["ports"][0]["port"] == 9999
    assert service["metadata"]["annotations"]["prometheus.io/port"] == "9999"


def test_example_of_the_readme(copied, render, check):
    (example,) = re.findall(r"^```yaml\n(.*?)^```", (KUBERNETES / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    mine = copied / "mine"
    shutil.copytree(copied / "deploy", mine / "inetdiag_exporter/deploy")
    shutil.copytree(copied / "grafana", mine / "inetdiag_exporter/grafana")
    (mine / "kustomization.yaml").write_text(example)
    objects = render(mine)
    assert check(objects) == ""
    (it,) = one(objects, "DaemonSet")["spec"]["template"]["spec"]["containers"]
    assert it["image"] == f"registry.example/{NAME}:{version()}"
    assert it["args"][-1] == "--collector.sysctl.include=net.core.optmem_max"
    assert one(objects, "PodMonitor")["metadata"]["labels"]["release"] == "kube-prometheus-stack"


def test_networks_of_pods_take_these_privileges_and_no_others(render):
    pod = one(render(KUBERNETES / "overlays/pod-networks"), "DaemonSet")["spec"]["template"]["spec"]
    base = one(render(KUBERNETES), "DaemonSet")["spec"]["template"]["spec"]
    (own,), (before,) = ([it["securityContext"] for it in found["containers"]] for found in (pod, base))
    # tests/e2e/test_netns.py holds that they suffice.
    assert own.pop("capabilities") == {"drop": ["ALL"], "add": ["SYS_ADMIN", "SYS_PTRACE"]}
    before.pop("capabilities")
    assert own == before
    assert pod["hostPID"] and pod["securityContext"]["runAsUser"] == 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    mounts = {it["mountPath"]: it for it in pod["containers"][0]["volumeMounts"]}
    assert all(it["readOnly"] for it in mounts.values())
    assert mounts["/host/run/netns"]["mountPropagation"] == "HostToContainer"


# The program


class Pod:
    """What the DaemonSet says of its one container."""

    def __init__(self, objects):
        self.pod = one(objects, "DaemonSet")["spec"]["template"]["spec"]
        (self.container,) = self.pod["containers"]
        (port,) = self.container["ports"]
        self.url = f"http://{HOST}:{port['containerPort']}"
        self.arguments = [argument.replace("$(HOST_IP)", HOST) for argument in self.container["args"]]
        assert not [argument for argument in self.arguments if "$(" in argument]

    def binds(self):
        """The mounted parts of the host, as (path there, path in the container, whether later mounts follow)."""
        paths = {volume["name"]: volume["hostPath"]["path"] for volume in self.pod["volumes"]}
        for mount in self.container["volumeMounts"]:
            assert mount["readOnly"]
            yield paths[mount["name"]], mount["mountPath"], mount.get("mountPropagation") == "HostToContainer"

    def probes(self):
        return [self.container[kind]["httpGet"]["path"] for kind in ("livenessProbe", "readinessProbe")]


def on_this_host(arguments, binds, folder):
    """The arguments, with what the container has mounted found below a folder."""
    for here, there, _ in binds:
        mounted = folder / there.lstrip("/")
        mounted.parent.mkdir(parents=True)
        mounted.symlink_to(here)
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        found = folder / value.lstrip("/")
        yield f"{flag}={found}" if value.startswith("/") and found.exists() else flag + equals + value


@pytest.mark.parametrize("folder", [KUBERNETES, *overlays()], ids=lambda folder: folder.name)
def test_program_takes_the_arguments(render, binary, network, tmp_path, folder):
    pod = Pod(render(folder))
    arguments = list(on_this_host(pod.arguments, pod.binds(), tmp_path))
    with running(binary, *arguments) as process:
        assert_all_collectors_succeed(page_of(process, f"{pod.url}/metrics"))
        assert all(get(pod.url + path) for path in pod.probes())
    refused = subprocess.run([binary, *arguments, "--no-such-flag"], capture_output=True, check=False)
    assert refused.returncode == 1


def test_container_runs_as_the_pod_says(render, image, containers, network, tmp_path):
    pod = Pod(render(KUBERNETES))
    configuration, root = image
    whole, own = pod.pod["securityContext"], pod.container["securityContext"]
    # What `container` always does.
    assert own["capabilities"] == {"drop": ["ALL"]} and own["allowPrivilegeEscalation"] is False
    assert whole["seccompProfile"] == {"type": "RuntimeDefault"} and pod.pod["hostNetwork"]
    with container(
        tmp_path,
        root,
        configuration["Entrypoint"] + pod.arguments,
        user=(whole["runAsUser"], whole["runAsGroup"]),
        read_only=own["readOnlyRootFilesystem"],
        binds=pod.binds(),
    ) as process:
        page = page_of(process, f"{pod.url}/metrics")
        assert_all_collectors_succeed(page)
        assert all(get(pod.url + path) for path in pod.probes())


@pytest.fixture
def pinned(tmp_path):
    """A folder in place of /run/netns, whose mounts are passed on."""
    folder = tmp_path / "netns"
    folder.mkdir()
    output("mount", "--bind", folder, folder)
    output("mount", "--make-rshared", folder)
    yield folder
    output("umount", "--recursive", folder)


@pytest.fixture
def inhabited():
    """A process that has a network of its own."""
    process = subprocess.Popen(["unshare", "--net", "sleep", "inf"])
    own = os.stat("/proc/self/ns/net").st_ino
    wait_until("it is there", lambda: os.stat(f"/proc/{process.pid}/ns/net").st_ino != own)
    yield process.pid
    process.kill()
    process.wait()


def test_container_asks_the_networks_of_pods(render, image, containers, network, tmp_path, pinned, inhabited):
    """With the privileges that the overlay names, below the filter that a runtime makes of them."""
    pod = Pod(render(KUBERNETES / "overlays/pod-networks"))
    configuration, root = image
    capabilities = [f"CAP_{name}" for name in pod.container["securityContext"]["capabilities"]["add"]]
    (tmp_path / "logs").mkdir()
    host = {"/run/netns": pinned, "/var/log/pods": tmp_path / "logs"}
    file = f"/proc/{inhabited}/ns/net"
    inode = os.stat(file).st_ino
    with container(
        tmp_path,
        root,
        [*configuration["Entrypoint"], *pod.arguments, f"--netns.include=^({inode}|late)$"],
        user=(pod.pod["securityContext"]["runAsUser"],) * 2,
        binds=[(host.get(here, here), there, follows) for here, there, follows in pod.binds()],
        capabilities=capabilities,
        host_pids=pod.pod["hostPID"],
    ) as process:
        page = page_of(process, f"{pod.url}/metrics")
        assert_all_collectors_succeed(page)
        assert f'inetdiag_sysctl_net_core_somaxconn{{netns="{inode}"}}' in page
        (pinned / "late").touch()
        output("mount", "--bind", file, pinned / "late")
        page = get(f"{pod.url}/metrics")
        assert_all_collectors_succeed(page)
        assert 'inetdiag_sysctl_net_core_somaxconn{netns="late"}' in page
        own = output("pgrep", "--full", "--newest", f"netns.include=.*{inode}").strip()
        with open(f"/proc/{own}/status", encoding="utf-8") as status:
            held = dict(line.split(":", 1) for line in status.read().splitlines())
        assert int(held["CapEff"], 16) == int(held["CapBnd"], 16) == 1 << 21 | 1 << 19
        assert (held["NoNewPrivs"].strip(), held["Seccomp"].strip()) == ("1", "2")
