"""The Helm chart: its objects equal those of the kustomizations, match the schemas of Kubernetes, and work."""

import copy
import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from chart import CHART, DEFAULTS, SCHEMA, build_renderer, render_objects, render_texts, request, schema_errors
from manifests import NAME, Pod, find, on_this_host, subdirectory, with_password, write_secret
from tools import ROOT, assert_all_collectors_succeed, get, get_when_up, output, running, version, wait_until

README = (CHART / "README.md").read_text()
README_VALUES = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)]
TLS = {"web": {"existingSecret": "inetdiag-exporter-web", "tls": True}}
OPERATOR = {"scrape": "podMonitor", "rules": {"enabled": True}, "dashboards": {"enabled": True}}
# "other" sets every value that the rest does not.
SETUPS = {
    "default": {},
    "pinned": {"netns": {"discover": "pinned"}},
    "processes": {"netns": {"discover": "processes"}},
    "all": {"netns": {"discover": "all"}},
    "tls": TLS,
    "client-certificates": {"web": TLS["web"] | {"clientCertificates": True}},
    "operator": OPERATOR,
    "service-monitor": {"scrape": "serviceMonitor", **TLS},
    "other": {
        "image": {"registry": "registry.example.org:5000/team", "tag": "1.2.3", "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "registry"}],
        "fullnameOverride": "queues",
        "port": 9999,
        "extraArgs": ["--collector.sysctl.include=net.core.optmem_max", "--log.level=debug"],
        "netns": {"discover": "all"},
        **TLS,
        "scrape": "podMonitor",
        "prometheusLabels": {"release": "kube-prometheus-stack"},
        "monitor": {
            "endpoint": {"interval": "30s", "tlsConfig": {"insecureSkipVerify": True}},
            "relabelings": [{"sourceLabels": ["__meta_kubernetes_pod_host_ip"], "targetLabel": "ip"}],
        },
        "rules": {"enabled": True, "runbookBase": "https://wiki.example.org/runbooks/"},
        "dashboards": {"enabled": True, "labels": {"team": "network"}, "annotations": {"grafana_folder": "Network"}},
        "resources": {"limits": {"memory": "1Gi"}},
        "podLabels": {"team": "network"},
        "podAnnotations": {"example.org/a": "b"},
        "nodeSelector": {"example.org/pool": "edge"},
        "architectures": [],
        "tolerations": [],
        "priorityClass": {"create": False, "name": "monitoring"},
        "seLinuxOptions": {"type": "spc_t"},
        "networkPolicy": {"prometheusNamespace": "observability"},
    },
}


@pytest.fixture(scope="session")
def renderer(tmp_path_factory):
    return build_renderer(tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def chart(renderer):
    """Renders the objects."""
    return lambda values, **options: render_objects(renderer, values, **options)


def sources(directory, pattern):
    return {file.name: file.read_text() for file in (ROOT / directory).glob(pattern)}


# Equality with the kustomizations


def comparable(objects):
    """{(kind, name): object} without the only differences that are allowed: labels that charts have by convention, the
    namespace, which Helm does not create in a chart, and the order of volumes and mounts."""
    found = {}
    for each in copy.deepcopy(objects):
        if each["kind"] == "Namespace":
            continue
        spec = each.get("spec", {})
        template = spec.get("template", {})
        selectors = [spec.get("selector", {}), spec.get("podSelector", {})]
        labels = [each["metadata"].get("labels", {}), template.get("metadata", {}).get("labels", {})]
        labels += [selector.get("matchLabels", selector) for selector in selectors]
        for mapping in labels:
            for name in ("instance", "version", "managed-by"):
                mapping.pop(f"app.kubernetes.io/{name}", None)
            mapping.pop("helm.sh/chart", None)
        pod = template.get("spec", {"containers": []})
        for named in [pod.get("volumes", []), *(container["volumeMounts"] for container in pod["containers"])]:
            named.sort(key=lambda volume: volume["name"])
        found[each["kind"], each["metadata"]["name"]] = each
    return found


@pytest.mark.parametrize(
    "values, resources, components",
    [
        (SETUPS["default"], "base", []),
        (SETUPS["all"], "overlays/pod-networks", []),
        (SETUPS["operator"], "overlays/prometheus-operator", []),
        (SETUPS["tls"], "base", ["tls"]),
        (OPERATOR | TLS, "overlays/prometheus-operator", ["tls"]),
    ],
    ids=["default", "all", "operator", "tls", "operator-tls"],
)
def test_objects_equal_those_of_the_kustomization(chart, render, copied, values, resources, components):
    directory = copied / "deploy/kubernetes/compared"
    directory.mkdir()
    kustomization = {"resources": [f"../{resources}"], "components": [f"../components/{name}" for name in components]}
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    assert comparable(chart(values)) == comparable(render(directory))


# Schemas


def test_objects_match_the_schemas_of_three_releases(chart, check):
    setups = [chart(values) for values in [*SETUPS.values(), *README_VALUES]]
    assert all(len(objects) >= 4 for objects in setups)
    assert check(sum(setups, [])) == ""


def test_schema_of_the_values_is_strict_and_complete():
    def compare(schema, defaults, path):
        assert schema["additionalProperties"] is False, path
        assert schema["properties"].keys() - {"global"} == defaults.keys(), path
        for name, value in defaults.items():
            if "properties" in schema["properties"][name] and value:
                compare(schema["properties"][name], value, f"{path}.{name}")

    compare(SCHEMA, DEFAULTS, "")
    assert schema_errors({}) == []


@pytest.mark.parametrize(
    "values",
    [
        {"netns": {"discover": False}},  # off without quotes
        {"netns": {"discover": "named"}},
        {"netns": {"discvoer": "all"}},
        {"scrape": "podmonitor"},
        {"scrape": ["podMonitor", "annotations"]},
        {"scrape": None},
        {"netns": {"discover": None}},
        {"web": {"tls": True}},
        {"web": {"existingSecret": "web", "clientCertificates": True}},
        {"monitor": {"endpoint": {"scheme": "https"}}},
        {"image": {"registry": ""}},
        {"image": {"repository": "Inetdiag"}},
        {"port": 0},
        {"port": "10045"},
        {"extraArgs": ["log.level=debug"]},
        {"extraArgs": "--log.level=debug"},
        {"rules": {"runbookBase": "wiki/runbooks"}},
        {"dashboards": {"labels": {"grafana_dashboard": 1}}},
        {"networkPolicy": {"prometheusNamespace": ""}},
        {"fullnameOverride": "a" * 64},
        {"fullnameOverride": "1st"},
        {"nameOverride": "Queues"},
        {"image": {"registry": None}},
        {"networkPolicy": None},
        {"imagePullSecrets": ["registry"]},
        {"seLinuxOptions": {"label": "spc_t"}},
    ],
    ids=json.dumps,
)
def test_invalid_values_are_rejected(values):
    assert schema_errors(values)


def settings(schema, values, path=()):
    """Yields (path, default) of each setting, and of each object of settings."""
    for name, value in values.items():
        yield (*path, name), value
        below = schema["properties"][name]
        if below.keys() >= {"properties", "additionalProperties"}:
            yield from settings(below, value, (*path, name))


@pytest.mark.parametrize(
    "path, default", [pytest.param(*each, id=".".join(each[0])) for each in settings(SCHEMA, DEFAULTS)]
)
def test_null_is_rejected_or_an_empty_list_or_map(chart, path, default):
    """Helm removes values that are null."""
    values = None
    for name in reversed(path):
        values = {name: values}
    if not schema_errors(values):
        assert isinstance(default, (dict, list))
        assert "null" not in json.dumps(chart(values))


# Values


@pytest.mark.parametrize("scrape", ["annotations", "podMonitor", "serviceMonitor", "none"])
def test_exactly_one_scrape_configuration(chart, scrape):
    objects = chart({"scrape": scrape})
    kinds = {each["kind"] for each in objects}
    annotated = "prometheus.io/scrape" in find(objects, "Service")["metadata"].get("annotations", {})
    found = {"podMonitor": "PodMonitor" in kinds, "serviceMonitor": "ServiceMonitor" in kinds, "annotations": annotated}
    assert [name for name, present in found.items() if present] == [scrape] * (scrape != "none")


def test_monitors_select_the_objects_and_name_the_node(chart):
    for scrape, kind, target, endpoints in (
        ("podMonitor", "PodMonitor", "DaemonSet", "podMetricsEndpoints"),
        ("serviceMonitor", "ServiceMonitor", "Service", "endpoints"),
    ):
        objects = chart({"scrape": scrape, "monitor": {"endpoint": {"interval": "30s"}}, **TLS})
        spec = find(objects, kind)["spec"]
        selected = find(objects, target)
        metadata = selected["spec"]["template"]["metadata"] if target == "DaemonSet" else selected["metadata"]
        assert spec["selector"]["matchLabels"].items() <= metadata["labels"].items()
        assert metadata["labels"][spec["jobLabel"]] == NAME
        (endpoint,) = spec[endpoints]
        assert (endpoint["port"], endpoint["scheme"], endpoint["interval"]) == ("metrics", "https", "30s")
        (relabeling,) = endpoint["relabelings"]
        assert relabeling["targetLabel"] == "instance" and "pod_node_name" in relabeling["sourceLabels"][0]


@pytest.mark.parametrize(
    "discover, user, capabilities, host_pids, netns",
    [
        ("off", 65534, [], False, False),
        ("pinned", 0, ["SYS_ADMIN"], False, True),
        ("processes", 0, ["SYS_ADMIN", "SYS_PTRACE"], True, False),
        ("all", 0, ["SYS_ADMIN", "SYS_PTRACE"], True, True),
    ],
)
def test_each_discovery_mode_has_only_its_privileges(chart, discover, user, capabilities, host_pids, netns):
    objects = chart({"netns": {"discover": discover}, "openshift": {"securityContextConstraints": True}})
    pod = find(objects, "DaemonSet")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    context = container["securityContext"]
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsNonRoot"]) == (user, user != 0)
    assert context["capabilities"] == {"drop": ["ALL"]} | ({"add": capabilities} if capabilities else {})
    assert not context["allowPrivilegeEscalation"] and not context["privileged"] and context["readOnlyRootFilesystem"]
    assert pod["hostNetwork"] and pod.get("hostPID", False) == host_pids and "hostIPC" not in pod
    paths = {"/sys/fs/cgroup", "/var/log/pods", "/var/log/containers"} | ({"/run/netns"} if netns else set())
    assert {volume["hostPath"]["path"] for volume in pod["volumes"]} == paths
    assert all(mount["readOnly"] for mount in container["volumeMounts"])

    constraints = find(objects, "SecurityContextConstraints")
    assert constraints["users"] == [f"system:serviceaccount:{NAME}:{pod['serviceAccountName']}"]
    assert constraints["allowedCapabilities"] == capabilities and constraints["requiredDropCapabilities"] == ["ALL"]
    assert constraints["runAsUser"] == {"type": "MustRunAs", "uid": user}
    assert constraints["allowHostPID"] == host_pids
    assert constraints["allowHostNetwork"] and constraints["allowHostPorts"] and constraints["allowHostDirVolumePlugin"]
    assert not constraints["allowHostIPC"] and not constraints["allowPrivilegedContainer"]


def test_constraints_of_openshift_are_off_by_default(chart):
    assert "SecurityContextConstraints" not in {each["kind"] for each in chart({})}


def test_image_is_one_setting_and_has_this_version(chart):
    text = json.dumps(chart({"image": {"registry": "registry.example.org:5000/team"}}))
    assert re.findall(r'"image": "(.*?)"', text) == [f"registry.example.org:5000/team/{NAME}:{version()}"]
    metadata = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert metadata["version"] == metadata["appVersion"] == version()
    (image,) = yaml.safe_load(metadata["annotations"]["artifacthub.io/images"])
    assert [image["image"]] == re.findall(r'"image": "(.*?)"', json.dumps(chart({})))
    assert [platform.split("/")[1] for platform in image["platforms"]] == DEFAULTS["architectures"]
    assert f"{NAME}-{version()}.tgz" in README


@pytest.mark.parametrize(
    "release, values, name",
    [
        ("inetdiag-exporter", {}, "inetdiag-exporter"),
        ("my-inetdiag-exporter", {}, "my-inetdiag-exporter"),
        ("monitoring", {}, "monitoring-inetdiag-exporter"),
        ("monitoring", {"nameOverride": "queues"}, "monitoring-queues"),
        ("monitoring", {"nameOverride": "queues", "fullnameOverride": "tcp"}, "tcp"),
        ("r" * 45 + "-b", {}, "r" * 45 + "-b-inetdiag-export"),
        ("r" * 45, {}, "r" * 45 + "-inetdiag-exporter"),
    ],
)
def test_objects_have_conventional_names(chart, release, values, name):
    setup = {**SETUPS["all"], **OPERATOR, "openshift": {"securityContextConstraints": True}, **values}
    objects = chart(setup, release=release, namespace="network")
    assert len(name) <= 63
    for each in objects:
        metadata = each["metadata"]
        assert metadata["name"].startswith(name if "namespace" in metadata else f"network-{name}"), metadata
        assert metadata["labels"]["app.kubernetes.io/name"] == values.get("nameOverride", NAME)
        assert metadata["labels"]["app.kubernetes.io/instance"] == release
    pod = find(objects, "DaemonSet", name)["spec"]["template"]["spec"]
    assert find(objects, "ServiceAccount", pod["serviceAccountName"])
    assert find(objects, "PriorityClass", pod["priorityClassName"])
    constraints = find(objects, "SecurityContextConstraints", f"network-{name}")
    assert constraints["users"] == [f"system:serviceaccount:network:{name}"]


def test_releases_of_the_same_name_in_two_namespaces_share_no_object(chart):
    def objects(namespace):
        found = chart({"openshift": {"securityContextConstraints": True}}, namespace=namespace)
        return {(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in found}

    assert not objects(NAME) & objects("network") and not objects("tcp") & objects("network")


def test_values_reach_the_objects(chart):
    objects = chart(SETUPS["other"])
    names = {each["metadata"]["name"] for each in objects}
    assert names and all(name.startswith("queues") for name in names)
    daemon_set = find(objects, "DaemonSet", "queues")["spec"]["template"]
    pod = daemon_set["spec"]
    (container,) = pod["containers"]
    assert (container["image"], container["imagePullPolicy"]) == (
        f"registry.example.org:5000/team/{NAME}:1.2.3",
        "Always",
    )
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert container["ports"][0]["containerPort"] == 9999
    assert container["args"][0] == "--web.listen-address=[$(HOST_IP)]:9999"
    assert container["args"][-2:] == SETUPS["other"]["extraArgs"]
    assert find(objects, "Service", "queues")["spec"]["ports"][0]["port"] == 9999
    assert container["resources"] == {"limits": {"memory": "1Gi"}}
    assert daemon_set["metadata"]["labels"]["team"] == "network"
    assert daemon_set["metadata"]["annotations"]["example.org/a"] == "b"
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", "example.org/pool": "edge"}
    assert "affinity" not in pod and "tolerations" not in pod
    assert pod["priorityClassName"] == "monitoring" and "PriorityClass" not in {each["kind"] for each in objects}
    assert pod["securityContext"]["seLinuxOptions"] == {"type": "spc_t"}
    policy = find(objects, "NetworkPolicy", "queues")["spec"]
    assert policy["ingress"][0]["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "observability"}}}
    ]
    for kind, name in (("PodMonitor", "queues"), ("PrometheusRule", "queues-rules")):
        assert find(objects, kind, name)["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    (endpoint,) = find(objects, "PodMonitor", "queues")["spec"]["podMetricsEndpoints"]
    assert endpoint["tlsConfig"] == {"insecureSkipVerify": True} and len(endpoint["relabelings"]) == 2
    dashboard = find(objects, "ConfigMap", "queues-dashboard-host")["metadata"]
    assert {"grafana_dashboard": "1", "team": "network"}.items() <= dashboard["labels"].items()
    assert dashboard["annotations"] == {"grafana_folder": "Network"}


def test_objects_that_can_be_turned_off(chart):
    kinds = {
        each["kind"]
        for each in chart({"networkPolicy": {"enabled": False}, "priorityClass": {"create": False}, "scrape": "none"})
    }
    assert kinds == {"DaemonSet", "Service", "ServiceAccount"}


def test_rules_and_dashboards_are_the_same_as_in_the_repository(chart):
    objects = chart(OPERATOR)
    files = sources("deploy/prometheus", "*.yaml")
    rules = {name: text for name, text in files.items() if "groups" in yaml.safe_load(text)}
    assert {each["metadata"]["name"]: each["spec"] for each in objects if each["kind"] == "PrometheusRule"} == {
        f"{NAME}-{name.removesuffix('.yaml')}": yaml.safe_load(text) for name, text in rules.items()
    }
    dashboards = sources("grafana", "*.json")
    assert {name: text for each in objects if each["kind"] == "ConfigMap" for name, text in each["data"].items()} == {
        f"inetdiag-{name}": text for name, text in dashboards.items()
    }
    assert len(rules) == 2 and len(dashboards) == 5


def test_runbook_base_is_set_for_every_alert(chart):
    base = "https://wiki.example.org/runbooks"
    default, changed = (
        json.dumps(find(chart({"rules": {"enabled": True, "runbookBase": value}}), "PrometheusRule", f"{NAME}-alerts"))
        for value in ("", base + "/")
    )
    urls = re.findall(r'"runbook_url": "(.*?)"', changed)
    pages = {file.name for file in (ROOT / "deploy/prometheus/runbooks").glob("Inetdiag*.md")}
    assert {url.removeprefix(base + "/") for url in urls} == pages
    assert re.sub(r'"runbook_url": ".*?"', "", default) == re.sub(r'"runbook_url": ".*?"', "", changed)


@pytest.mark.parametrize("values", [{"rules": {"enabled": True}}, {"dashboards": {"enabled": True}}], ids=json.dumps)
def test_chart_without_its_files_is_an_error(renderer, tmp_path, values):
    """Tools that skip links must not install a chart without alerts."""
    shutil.copytree(CHART, tmp_path / "chart", ignore=shutil.ignore_patterns("files"))
    values = request(values, chart=tmp_path / "chart")
    done = subprocess.run([renderer], input=values, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "files/ is empty: run `helm package`" in done.stderr


def test_notes_name_the_namespace_and_the_port(renderer):
    notes = render_texts(renderer, {"port": 9999, **TLS})["templates/NOTES.txt"]
    assert f"kubectl label namespace {NAME} " in notes and "https:POD:9999/proxy/metrics" in notes
    labels = re.findall(r"^ *(pod-security.kubernetes.io/\w+)=privileged\b", notes, re.MULTILINE)
    assert labels == re.findall(r"^ *(pod-security.kubernetes.io/\w+)=privileged\b", README, re.MULTILINE)
    namespace = yaml.safe_load((ROOT / "deploy/kubernetes/base/namespace.yaml").read_text())
    assert dict.fromkeys(labels, "privileged") == namespace["metadata"]["labels"]


# Generated files


def test_table_of_values_and_links_are_up_to_date(copied):
    chart = copied / "deploy/helm/inetdiag-exporter"
    shutil.rmtree(chart / "files")
    readme = chart / "README.md"
    without_table = re.sub(r"(<!-- values -->\n).*(<!-- end -->)", r"\1\2", README, flags=re.DOTALL)
    # tests/links checks the targets.
    relative = re.sub(r"\(https://git[^)]*/blob/main/(?=docs/)", "(../../../", without_table)
    assert relative != without_table
    readme.write_text(relative)
    output(copied / "deploy/helm/generate")
    assert readme.read_text() == README, "run deploy/helm/generate"

    def links(directory):
        return {file.relative_to(directory): os.readlink(file) for file in directory.glob("files/*/*")}

    assert links(chart) == links(CHART), "run deploy/helm/generate"
    assert all(file.resolve().is_file() for file in chart.glob("files/*/*"))


def test_every_value_is_documented():
    documented = re.findall(r"^\| `([\w.]+)` \|", README, re.MULTILINE)

    def names(values, path=""):
        for name, value in values.items():
            nested = isinstance(value, dict) and f"{path}{name}" not in documented
            yield from names(value, f"{path}{name}.") if nested else [f"{path}{name}"]

    assert set(names(DEFAULTS)) <= set(documented)


# The program


@pytest.mark.parametrize("setup", sorted(SETUPS.keys() - {"client-certificates"}))
def test_program_accepts_the_arguments(chart, binary, network, tmp_path, setup):
    pod = Pod(chart(SETUPS[setup]))
    secret = write_secret(subdirectory(tmp_path, "secret"))
    binds = pod.binds(subdirectory(tmp_path, "empty"), secret=secret)
    with running(binary, *on_this_host(pod.arguments, binds, tmp_path)) as process:
        assert_all_collectors_succeed(get_when_up(process, with_password(f"{pod.url}/metrics")))


@pytest.mark.parametrize(
    "discover, found",
    [("off", []), ("pinned", ["pinned"]), ("processes", ["process"]), ("all", ["pinned", "process"])],
)
def test_each_discovery_mode_finds_namespaces_with_its_privileges(
    chart, binary, network, may_mount, readable, pinned, isolated_pid, discover, found
):
    pod = Pod(chart({"netns": {"discover": discover}}))
    inode = str(os.stat(f"/proc/{isolated_pid}/ns/net").st_ino)
    (pinned / "pinned").touch()
    output("unshare", f"--net={pinned}/pinned", "true")
    include = [] if discover == "off" else [f"--netns.include=^({inode}|pinned)$"]
    logs = subdirectory(readable, "pods")
    logs.chmod(0o750)  # like that of a newer kubelet: user 65534 cannot read it
    host = {"/run/netns": pinned, "/var/log/pods": logs}
    with pod.running(binary, readable, *include, replaced=host) as process:
        page = get_when_up(process, f"{pod.url}/metrics")
        assert_all_collectors_succeed(page)
        labels = re.findall(r'^inetdiag_sysctl_net_core_somaxconn\{netns="(.*)"\}', page, re.MULTILINE)
        assert sorted(labels) == sorted(inode if name == "process" else name for name in found)
        pod.assert_probes_succeed()


@pytest.mark.parametrize("values", [TLS, {**TLS, **SETUPS["all"]}], ids=["default", "all"])
def test_probes_and_scrapes_succeed_with_tls_and_a_password(chart, binary, network, may_mount, readable, values):
    pod = Pod(chart(values))
    secret = write_secret(subdirectory(readable, "secret"))
    with pod.running(binary, readable, secret=secret) as process:
        assert_all_collectors_succeed(get_when_up(process, with_password(f"{pod.url}/metrics")))
        assert get(f"{pod.url}/metrics") is None  # without a password
        pod.assert_probes_succeed()


def test_probes_connect_if_client_certificates_are_required(chart, binary, network, may_mount, readable):
    pod = Pod(chart(SETUPS["client-certificates"]))
    secret = write_secret(subdirectory(readable, "secret"), client_certificates=True)
    with pod.running(binary, readable, secret=secret) as process:
        wait_until("the exporter listens", lambda: "listening" in process.log())
        pod.assert_probes_succeed()
        assert get(f"{pod.url}/-/healthy") is None
