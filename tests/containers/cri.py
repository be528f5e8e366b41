"""containerd with its CRI, and what kubelet adds to it: names, cgroups and log directories of pods."""

import contextlib
import json
import shutil
import uuid
from pathlib import Path

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from node import processes
from tools import output, running, wait_until

CNI_PLUGINS = "/usr/lib/cni"
PODS, CONTAINERS = Path("/var/log/pods"), Path("/var/log/containers")
SOCKET = "/run/containerd/containerd.sock"
# Of containers that are not privileged, as kubelet sets them.
MASKED_PATHS = ["acpi", "asound", "kcore", "keys", "latency_stats", "sched_debug", "scsi", "timer_list", "timer_stats"]
READONLY_PATHS = ["bus", "fs", "irq", "sys", "sysrq-trigger"]


def configuration(directory, sandbox_image):
    """Returns a configuration that needs no kernel modules and writes to the default directories only."""
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""
version = 2
[plugins."io.containerd.internal.v1.opt"]
  path = "{directory}/opt"
[{cri}]
  sandbox_image = "{sandbox_image}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [{cri}.containerd]
    snapshotter = "native"
  [{cri}.cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{directory}/cni"
"""


def network():
    ipam = {"type": "host-local", "ranges": [[{"subnet": "10.85.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipam": ipam}
    return json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]})


def protocol(directory):
    """Returns the FileDescriptorProto of cri.proto."""
    descriptors = directory / "cri.descriptors"
    output("protoc", f"--proto_path={Path(__file__).parent}", f"--descriptor_set_out={descriptors}", "cri.proto")
    (file,) = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes()).file
    return file


class Runtime:
    """A client of the CRI."""

    def __init__(self, directory):
        file = protocol(directory)
        self.pool = descriptor_pool.DescriptorPool()
        self.pool.Add(file)
        self.messages = message_factory.GetMessages([file])
        self.channel = grpc.insecure_channel(f"unix://{SOCKET}")

    def call(self, method, service="RuntimeService", **fields):
        name = f"runtime.v1.{service}"
        types = self.pool.FindServiceByName(name).methods_by_name[method]
        # The factory has messages by name; a pool has other classes.
        request = self.messages[types.input_type.full_name](**fields)
        call = self.channel.unary_unary(
            f"/{name}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=self.messages[types.output_type.full_name].FromString,
        )
        return call(request, timeout=60, wait_for_ready=True)

    def add_image(self, archive, name):
        output("ctr", "--namespace=k8s.io", "images", "import", archive)
        # The CRI plugin learns of it by an event.
        wait_until(
            f"the CRI has image {name}",
            lambda: self.call("ImageStatus", service="ImageService", image={"image": name}).image.id,
        )


@contextlib.contextmanager
def containerd(directory, sandbox_image):
    """Yields the CRI of a running containerd."""
    (directory / "cni").mkdir()
    (directory / "cni/pods.conflist").write_text(network(), encoding="utf-8")
    config = directory / "config.toml"
    config.write_text(configuration(directory, sandbox_image), encoding="utf-8")
    with running("containerd", "--config", config) as process:
        runtime = Runtime(directory)

        def is_ready():
            assert process.poll() is None, process.log()
            return all(condition.status for condition in runtime.call("Status").status.conditions)

        wait_until("containerd and the pod network are ready", is_ready)
        yield runtime


class Pod:
    """A pod as kubelet creates it. `namespaces` are those of the node that it shares: network, pid."""

    def __init__(self, runtime, namespace, name, shared=()):
        self.runtime, self.namespace, self.name = runtime, namespace, name
        self.uid = str(uuid.uuid4())
        self.cgroup = f"/kubepods/burstable/pod{self.uid}"
        self.logs = PODS / f"{namespace}_{name}_{self.uid}"
        self.logs.mkdir()
        self.labels = {
            "io.kubernetes.pod.namespace": namespace,
            "io.kubernetes.pod.name": name,
            "io.kubernetes.pod.uid": self.uid,
        }
        # Each container has PIDs of its own; the network is the pod's.
        self.namespaces = {"network": "POD", "pid": "CONTAINER"} | {kind: "NODE" for kind in shared}
        self.config = {
            "metadata": {"name": name, "uid": self.uid, "namespace": namespace},
            "hostname": "" if "network" in shared else name,
            "log_directory": str(self.logs),
            "labels": self.labels,
            "linux": {
                "cgroup_parent": self.cgroup,
                "security_context": {
                    "namespace_options": self.namespaces,
                    "seccomp": {"profile_type": "RuntimeDefault"},
                },
            },
        }
        self.containers = {}  # ID by name
        self.is_removed = False
        self.sandbox = runtime.call("RunPodSandbox", config=self.config).pod_sandbox_id
        self.address = runtime.call("PodSandboxStatus", pod_sandbox_id=self.sandbox).status.network.ip

    def start(self, name, image, arguments=(), **fields):
        """Starts a container. `fields` are those of ContainerConfig."""
        (self.logs / name).mkdir()
        linux = fields.pop("linux", {})
        context = {
            "namespace_options": self.namespaces,
            "masked_paths": [f"/proc/{each}" for each in MASKED_PATHS] + ["/sys/firmware"],
            "readonly_paths": [f"/proc/{each}" for each in READONLY_PATHS],
            "seccomp": {"profile_type": "RuntimeDefault"},
        } | linux.pop("security_context", {})
        config = {
            "metadata": {"name": name},
            "image": {"image": image},
            "args": arguments,
            "labels": self.labels | {"io.kubernetes.container.name": name},
            "log_path": f"{name}/0.log",
            "linux": linux | {"security_context": context},
        }
        container = self.runtime.call(
            "CreateContainer", pod_sandbox_id=self.sandbox, config=config | fields, sandbox_config=self.config
        ).container_id
        self.containers[name] = container
        self.link(name).symlink_to(self.logs / name / "0.log")
        self.runtime.call("StartContainer", container_id=container)

    def link(self, name):
        return CONTAINERS / f"{self.name}_{self.namespace}_{name}-{self.containers[name]}.log"

    def processes(self, name):
        return processes(f"{self.cgroup}/{self.containers[name]}")

    def log(self, container_name):
        return (self.logs / container_name / "0.log").read_text(encoding="utf-8")

    def remove(self):
        """Does nothing if the pod is removed already."""
        if self.is_removed:
            return
        self.runtime.call("StopPodSandbox", pod_sandbox_id=self.sandbox)
        self.runtime.call("RemovePodSandbox", pod_sandbox_id=self.sandbox)
        for name in self.containers:
            self.link(name).unlink(missing_ok=True)
        shutil.rmtree(self.logs)
        self.is_removed = True
