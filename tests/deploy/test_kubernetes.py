"""The objects of `kubectl apply -k` match the schemas of Kubernetes and their sources, and the program accepts its
arguments."""

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from image import container
from manifests import NAME, Pod, find, on_this_host, subdirectory, with_password, write_secret
from tools import ROOT, assert_all_collectors_succeed, get, output, get_when_up, running, version

KUBERNETES = ROOT / "deploy/kubernetes"


def overlays():
    return sorted(file.parent for file in (KUBERNETES / "overlays").glob("*/kustomization.yaml"))


@pytest.fixture
def with_tls(copied, render):
    """Renders a kustomization with TLS."""

    def run(resources):
        directory = copied / "deploy/kubernetes/with-tls"
        directory.mkdir()
        kustomization = f"resources: [../{resources}]\ncomponents: [../components/tls]\n"
        (directory / "kustomization.yaml").write_text(kustomization)
        return render(directory)

    return run


# Schemas


def test_objects_match_the_schemas_of_three_releases(render, check, with_tls):
    setups = [with_tls("overlays/prometheus-operator"), *map(render, [KUBERNETES, *overlays()])]
    for objects in setups:
        kinds = {each["kind"] for each in objects}
        assert {"Namespace", "ServiceAccount", "DaemonSet", "NetworkPolicy", "Service"} <= kinds
    assert check(sum(setups, [])) == ""


def test_checker_reports_unknown_fields_and_invalid_values(render, check):
    objects = render(KUBERNETES / "overlays/prometheus-operator")
    pod = find(objects, "DaemonSet")["spec"]["template"]["spec"]
    pod["hostnameOverride"] = "node"  # of Kubernetes 1.34
    find(objects, "NetworkPolicy")["spec"]["egres"] = []
    find(objects, "PodMonitor")["spec"]["podMetricsEndpoints"][0]["nodeName"] = "instance"
    find(objects, "Service")["spec"]["ports"][0]["port"] = "metrics"
    errors = check(objects)
    for name in ("egres", "nodeName", "data/spec/ports/0/port"):
        assert name in errors
    older = [line.split(":")[0] for line in errors.splitlines() if "hostnameOverride" in line]
    assert sorted(older) == ["1.26", "1.30"]


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
    assert container_spec["image"] == f"registry.example.com/{NAME}:{version()}"


def test_image_is_set_in_one_place_and_never_from_the_default_registry(copied, render):
    objects = render(copied / "deploy/kubernetes/overlays/pod-networks")
    assert json.dumps(objects).count(NAME + ":") == 1
    assert json.dumps(objects).count(f"registry.example.com/{NAME}:") == 1


def test_exactly_one_scrape_configuration(render):
    """With annotations and a PodMonitor, Prometheus may scrape the exporter twice."""
    annotated = find(render(KUBERNETES), "Service")["metadata"]["annotations"]
    assert annotated["prometheus.io/scrape"] == "true"
    objects = render(KUBERNETES / "overlays/prometheus-operator")
    assert find(objects, "PodMonitor") and "prometheus.io" not in json.dumps(objects)


def test_scrapes_use_tls_with_the_component(with_tls, copied):
    assert find(with_tls("base"), "Service")["metadata"]["annotations"]["prometheus.io/scheme"] == "https"
    shutil.rmtree(copied / "deploy/kubernetes/with-tls")
    objects = with_tls("overlays/prometheus-operator")
    (endpoint,) = find(objects, "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert endpoint["scheme"] == "https" and "annotations" not in find(objects, "Service")["metadata"]


def test_namespace_admits_the_pods_without_warnings(render):
    labels = find(render(KUBERNETES), "Namespace")["metadata"]["labels"]
    modes = ("enforce", "warn", "audit")
    assert [labels[f"pod-security.kubernetes.io/{mode}"] for mode in modes] == ["privileged"] * 3


def test_pods_are_scheduled_first_without_preemption(render):
    objects = render(KUBERNETES)
    priority = find(objects, "PriorityClass")
    assert priority["preemptionPolicy"] == "Never" and priority["value"] > 0
    assert find(objects, "DaemonSet")["spec"]["template"]["spec"]["priorityClassName"] == NAME


def test_only_the_namespace_of_prometheus_is_admitted(render):
    (rule,) = find(render(KUBERNETES), "NetworkPolicy")["spec"]["ingress"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]


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
    assert container_spec["image"] == f"registry.example.org/team/{NAME}:{version()}"
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


def test_missing_log_directories_do_not_block_the_pods(render):
    """The kubelet creates them, but not /var/log/pods if its podLogsDir is set."""
    volumes = find(render(KUBERNETES), "DaemonSet")["spec"]["template"]["spec"]["volumes"]
    types = {volume["hostPath"]["path"]: volume["hostPath"]["type"] for volume in volumes}
    assert {path for path, kind in types.items() if kind == "Directory"} == {"/sys/fs/cgroup"}
    assert {path for path, kind in types.items() if kind == "DirectoryOrCreate"} == {
        "/var/log/pods",
        "/var/log/containers",
    }


# The program


@pytest.mark.parametrize("directory", [KUBERNETES, *overlays()], ids=lambda directory: directory.name)
def test_program_accepts_the_arguments(render, binary, network, tmp_path, directory):
    pod = Pod(render(directory))
    arguments = list(on_this_host(pod.arguments, pod.binds(tmp_path), tmp_path))
    with running(binary, *arguments) as process:
        assert_all_collectors_succeed(get_when_up(process, f"{pod.url}/metrics"))
        pod.assert_probes_succeed()
    rejected = subprocess.run([binary, *arguments, "--no-such-flag"], capture_output=True, check=False)
    assert rejected.returncode == 1


def test_probes_succeed_with_tls_and_a_password(with_tls, binary, network, may_mount, readable):
    pod = Pod(with_tls("base"))
    secret = write_secret(subdirectory(readable, "secret"))
    with pod.running(binary, readable, secret=secret) as process:
        assert_all_collectors_succeed(get_when_up(process, with_password(f"{pod.url}/metrics")))
        assert get(f"{pod.url}/metrics") is None  # without a password
        pod.assert_probes_succeed()


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
        binds=pod.binds(subdirectory(tmp_path, "empty")),
    ) as process:
        page = get_when_up(process, f"{pod.url}/metrics")
        assert_all_collectors_succeed(page)
        pod.assert_probes_succeed()


def test_container_monitors_pod_networks(render, image, containers, network, tmp_path, pinned, isolated_pid):
    """With the privileges of the overlay and the default seccomp filter for them."""
    pod = Pod(render(KUBERNETES / "overlays/pod-networks"))
    configuration, root = image
    capabilities = [f"CAP_{name}" for name in pod.container["securityContext"]["capabilities"]["add"]]
    file = f"/proc/{isolated_pid}/ns/net"
    inode = os.stat(file).st_ino
    with container(
        tmp_path,
        root,
        [*configuration["Entrypoint"], *pod.arguments, f"--netns.include=^({inode}|late)$"],
        user=(pod.pod["securityContext"]["runAsUser"],) * 2,
        binds=pod.binds(subdirectory(tmp_path, "empty"), replaced={"/run/netns": pinned}),
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
