"""Builds the image with buildah, and runs it with runc like a container engine."""

import contextlib
import json
import os
import platform
import subprocess
import uuid
from pathlib import Path

from tools import ROOT, output, running, version

# The `RuntimeDefault` profile of Podman, Buildah and CRI-O, derived from that of Docker.
DEFAULT_SECCOMP = Path("/usr/share/containers/seccomp.json")
BASE = "debian:bookworm-slim"


class Store:
    """Image storage in its own directory."""

    def __init__(self, directory):
        configuration = directory / "storage.conf"
        configuration.write_text(
            f'[storage]\ndriver = ""\ngraphroot = "{directory}/storage"\nrunroot = "{directory}/run"\n', encoding="utf-8"
        )
        self.environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(configuration), "ENGINE": "buildah"}

    def run(self, program, *arguments):
        return output(program, *arguments, env=self.environment).strip()

    def add_base(self, tar):
        container = self.run("buildah", "from", "scratch")
        self.run("buildah", "add", "--quiet", container, tar, "/")
        self.run("buildah", "commit", "--quiet", "--rm", container, BASE)

    def build(self):
        # Without CAP_SYS_RESOURCE, buildah cannot raise limits, as it does by default on Debian 13.
        limits = ["--ulimit=nofile=4096:4096", "--ulimit=nproc=16384:16384"]
        self.run(ROOT / "deploy/container/build", "--isolation=chroot", "--pull-never", *limits)
        return f"inetdiag-exporter:{version()}"

    @contextlib.contextmanager
    def mounted(self, image):
        """Yields (configuration, root directory) of an image."""
        container = self.run("buildah", "from", "--pull-never", image)
        try:
            root = Path(self.run("buildah", "mount", container))
            inspected = json.loads(self.run("buildah", "inspect", "--type=image", image))
            yield inspected["OCIv1"]["config"], root
        finally:
            self.run("buildah", "rm", container)

    def clear(self):
        self.run("buildah", "rmi", "--all", "--force")


def default_seccomp(capabilities):
    """Returns the default seccomp filter for a container with these capabilities, in the format of the OCI runtime
    specification."""
    profile = json.loads(DEFAULT_SECCOMP.read_text(encoding="utf-8"))
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]

    def applies(rule):
        includes = rule.get("includes") or {}
        excludes = rule.get("excludes") or {}
        return (
            set(includes.get("caps", capabilities)) <= set(capabilities)
            and set(capabilities).isdisjoint(excludes.get("caps", []))
            and machine in includes.get("arches", [machine])
            and machine not in excludes.get("arches", [])
        )

    return {
        "defaultAction": profile["defaultAction"],
        "defaultErrnoRet": profile["defaultErrnoRet"],
        "syscalls": [
            {key: rule[key] for key in ("names", "action", "args", "errnoRet") if rule.get(key)}
            for rule in profile["syscalls"]
            if applies(rule)
        ],
    }


@contextlib.contextmanager
def container(
    directory, root, arguments, user=(65534, 65534), read_only=True, binds=(), capabilities=(), host_pids=False
):
    """Runs a program in a root directory and the network namespace of the caller, with only these capabilities,
    no_new_privs and the default seccomp filter. `binds` are read-only mounts: (source, destination) or (source,
    destination, whether later mounts propagate)."""
    bundle = directory / "bundle"
    bundle.mkdir()
    output("runc", "spec", cwd=bundle)
    spec = json.loads((bundle / "config.json").read_text(encoding="utf-8"))
    spec["root"] = {"path": str(root), "readonly": read_only}
    spec["process"] |= {
        "args": arguments,
        "terminal": False,
        "user": {"uid": user[0], "gid": user[1]},
        "capabilities": {kind: list(capabilities) for kind in ("bounding", "effective", "permitted")},
        "noNewPrivileges": True,
    }
    spec["mounts"] += [
        {
            "destination": destination,
            "type": "bind",
            "source": str(source),
            "options": ["rbind", "ro", "nosuid", "nodev", "rslave" if any(propagates) else "rprivate"],
        }
        for source, destination, *propagates in binds
    ]
    shared = {"network", "pid"} if host_pids else {"network"}
    spec["linux"]["namespaces"] = [kind for kind in spec["linux"]["namespaces"] if kind["type"] not in shared]
    spec["linux"]["seccomp"] = default_seccomp(capabilities)
    (bundle / "config.json").write_text(json.dumps(spec), encoding="utf-8")

    name = f"inetdiag-{uuid.uuid4().hex}"
    runc = ["runc", "--root", directory / "runc"]
    kill = lambda process: subprocess.run([*runc, "kill", name, "TERM"], check=False)
    with running(*runc, "run", "--bundle", bundle, name, stop=kill) as process:
        yield process
