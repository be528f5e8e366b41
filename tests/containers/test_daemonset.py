"""The pod of the DaemonSet in its own image, with the security context, mounts and arguments of the manifests: of the
kustomizations, and of the Helm chart in each discovery mode."""

import shutil
from pathlib import Path

import pytest
import yaml

from chart import build_renderer, render_objects
from node import EXPORTER_IMAGE, Page, connections, labels, listen
from tools import ROOT, assert_all_collectors_succeed, get, output, wait_until

KUBERNETES = ROOT / "deploy/kubernetes"
NODE_ADDRESS = "127.0.0.1"
MEGABYTES = {"Mi": 1 << 20, "Gi": 1 << 30}


class DaemonSet:
    """Creates the pod as kubelet does. Fails if the manifest has what this class does not know."""

    def __init__(self, objects, make_pod):
        (spec,) = [each["spec"]["template"]["spec"] for each in objects if each and each["kind"] == "DaemonSet"]
        (container,) = spec["containers"]
        shared = [kind for kind, field in (("network", "hostNetwork"), ("pid", "hostPID")) if spec.get(field)]
        self.name = container["name"]
        environment = {each["name"]: self.value_of(each) for each in container["env"]}
        arguments = [self.expanded(argument, environment) for argument in container["args"]]
        (port,) = container["ports"]
        self.url = f"http://{NODE_ADDRESS}:{port['containerPort']}"
        self.probes = [container[kind]["httpGet"]["path"] for kind in ("livenessProbe", "readinessProbe")]
        self.pod = make_pod("inetdiag-exporter", "inetdiag-exporter-x7k2p", shared)
        self.pod.start(
            self.name,
            EXPORTER_IMAGE,
            arguments,
            envs=[{"key": key, "value": value} for key, value in environment.items()],
            mounts=list(self.mounts(spec, container)),
            linux={
                "resources": {"memory_limit_in_bytes": self.bytes_of(container["resources"]["limits"]["memory"])},
                "security_context": self.context(spec["securityContext"], container["securityContext"]),
            },
        )

    @staticmethod
    def value_of(variable):
        assert variable["valueFrom"]["fieldRef"]["fieldPath"] == "status.hostIP"
        return NODE_ADDRESS

    @staticmethod
    def expanded(argument, environment):
        for name, value in environment.items():
            argument = argument.replace(f"$({name})", value)
        assert "$(" not in argument
        return argument

    @staticmethod
    def bytes_of(quantity):
        return int(quantity[:-2]) * MEGABYTES[quantity[-2:]]

    @staticmethod
    def mounts(spec, container):
        volumes = {volume["name"]: volume["hostPath"] for volume in spec["volumes"]}
        for mount in container["volumeMounts"]:
            volume = volumes[mount["name"]]
            if volume["type"] == "DirectoryOrCreate":
                Path(volume["path"]).mkdir(parents=True, exist_ok=True)
            assert Path(volume["path"]).is_dir()
            propagates = mount.get("mountPropagation", "None")
            yield {
                "host_path": volume["path"],
                "container_path": mount["mountPath"],
                "readonly": mount["readOnly"],
                "propagation": {"None": 0, "HostToContainer": 1}[propagates],
            }

    @staticmethod
    def context(pod, container):
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"} and not container["privileged"]
        assert not pod["runAsNonRoot"] or pod["runAsUser"] != 0
        return {
            "run_as_user": {"value": pod["runAsUser"]},
            "run_as_group": {"value": pod["runAsGroup"]},
            "readonly_rootfs": container["readOnlyRootFilesystem"],
            "no_new_privs": not container["allowPrivilegeEscalation"],
            "capabilities": {
                "add_capabilities": container["capabilities"].get("add", []),
                "drop_capabilities": container["capabilities"]["drop"],
            },
        }

    def status(self):
        """Returns the fields of /proc/PID/status of the exporter."""
        (pid,) = self.pod.processes(self.name)
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}

    def page(self):
        return Page(get(f"{self.url}/metrics"))


@pytest.fixture(scope="module")
def image(runtime, exporter_archive):
    runtime.add_image(exporter_archive, EXPORTER_IMAGE)


@pytest.fixture(scope="module")
def kustomization():
    """Renders the objects of a kustomization."""
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    return lambda directory: yaml.safe_load_all(output("kubectl", "kustomize", KUBERNETES / directory))


@pytest.fixture(scope="module")
def chart(tmp_path_factory):
    """Renders the objects of the Helm chart for a discovery mode."""
    renderer = build_renderer(tmp_path_factory.mktemp("helm"))
    return lambda mode: render_objects(renderer, {"netns": {"discover": mode}})


@pytest.fixture
def daemon_set(request, source, argument, image, pods, make_pod):
    started = DaemonSet(request.getfixturevalue(source)(argument), make_pod)
    try:
        wait_until("the exporter answers", lambda: get(started.url + started.probes[-1]), seconds=30)
    except AssertionError as error:
        raise AssertionError(started.pod.log(started.name)) from error
    return started


def capabilities(*numbers):
    return sum(1 << number for number in numbers)


@pytest.mark.parametrize("source, argument", [("kustomization", "."), ("chart", "off")])
def test_exporter_as_a_pod_finds_the_pods_of_the_host_network(daemon_set, pods):
    page = daemon_set.page()
    assert_all_collectors_succeed(page.text)
    assert all(get(daemon_set.url + path) for path in daemon_set.probes)
    status = daemon_set.status()
    assert status["Uid"].split() == ["65534"] * 4 and status["NoNewPrivs"] == "1"
    assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0
    proxy = pods["proxy-0"]
    for port, pod, container in (("8443", proxy, "proxy"), ("10045", daemon_set.pod, daemon_set.name)):
        row = page.row("inetdiag_listener_info", port=port)
        assert labels(row, "pod_uid", "container_id") == (pod.uid, pod.containers[container])
        assert labels(row, "pod_namespace", "pod_name", "container_name") == (pod.namespace, pod.name, container)
    assert not page.rows("inetdiag_netns_info")


@pytest.mark.parametrize(
    "source, argument, pinned, processes",
    [
        ("kustomization", "overlays/pod-networks", True, True),
        ("chart", "all", True, True),
        ("chart", "pinned", True, False),
        ("chart", "processes", False, True),
    ],
)
def test_exporter_as_a_pod_finds_its_neighbours(daemon_set, make_pod, pods, pinned, processes):
    """`processes` is whether the pod has the PIDs of the host."""
    status = daemon_set.status()
    assert status["Uid"].split() == ["0"] * 4 and status["NoNewPrivs"] == "1"
    sys_admin, sys_ptrace = 21, 19
    assert int(status["CapBnd"], 16) == capabilities(sys_admin, *[sys_ptrace] * processes)
    late = make_pod("shop", "late-0")
    listen(late, "app", 8080, backlog=2)
    series = "inetdiag_listener_process_info" if processes else "inetdiag_listener_info"
    with connections(late.address, 8080, 2):

        def page_with_late():
            page = daemon_set.page()
            networks = page.rows("inetdiag_netns_info", pod_uid=late.uid)
            return networks and page.rows(series, netns=networks[0]["netns"], port="8080") and page

        page = wait_until("the listener has series", page_with_late)
    (pid,) = late.processes("app")
    assert_all_collectors_succeed(page.text)
    networks = {row["pod_uid"]: row for row in page.rows("inetdiag_netns_info")}
    assert networks.keys() == {pods["web-0"].uid, pods["api-0"].uid, late.uid}
    row = networks[late.uid]
    # Pinned after the exporter started: the mount propagates.
    assert row["netns"].startswith("cni-") if pinned else row["netns"] == row["inode"]
    assert labels(row, "pod_namespace", "pod_name") == ("shop", "late-0")
    assert row["container_id"] == late.containers["app"]
    found = [labels(each, "pid", "comm") for each in page.rows("inetdiag_listener_process_info", netns=row["netns"])]
    assert found == ([(str(pid), "python3")] if processes else [])
    listener = page.row("inetdiag_listener_info", netns=row["netns"], port="8080")
    assert labels(listener, "pod_name", "container_name") == ("late-0", "app")
