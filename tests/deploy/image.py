"""Builds the image with buildah, and runs it with runc as a container engine would."""

import contextlib
import json
import os
import platform
import subprocess
import uuid
from pathlib import Path

from tools import ROOT, output, running, version

# What engines of the containers family take for `RuntimeDefault`, Docker's is its origin.
DEFAULT_SECCOMP = Path("/usr/share/containers/seccomp.json")
BASE = "debian:bookworm-slim"


class Store:
    """Images in a folder of their own."""

    def __init__(self, folder):
        configuration = folder / "storage.conf"
        configuration.write_text(
            f'[storage]\ndriver = ""\ngraphroot = "{folder}/storage"\nrunroot = "{folder}/run"\n', encoding="utf-8"
        )
        self.environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(configuration), "ENGINE": "buildah"}

    def run(self, program, *arguments):
        return output(program, *arguments, env=self.environment).strip()

    def add_base(self, tar):
        container = self.run("buildah", "from", "scratch")
        self.run("buildah", "add", "--quiet", container, tar, "/")
        self.run("buildah", "commit", "--quiet", "--rm", container, BASE)

    def build(self):
        self.run(ROOT / "deploy/container/build", "--isolation=chroot", "--pull-never")
        return f"inetdiag-exporter:{version()}"

    @contextlib.contextmanager
    def mounted(self, image):
        """The configuration and the root folder of an image."""
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
    """The engines' default filter for a container with these capabilities, in the runtime's format."""
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
    folder, root, arguments, user=(65534, 65534), read_only=True, binds=(), capabilities=(), host_pids=False
):
    """Runs a program in a root folder on the network of the caller: without other capabilities, without new
    privileges, below the default filter of system calls. `binds` are (source, destination) and maybe whether
    later mounts there come along, read-only."""
    bundle = folder / "bundle"
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
            "destination": there,
            "type": "bind",
            "source": str(here),
            "options": ["rbind", "ro", "nosuid", "nodev", "rslave" if any(follows) else "rprivate"],
        }
        for here, there, *follows in binds
    ]
    of_the_host = {"network", "pid"} if host_pids else {"network"}
    spec["linux"]["namespaces"] = [kind for kind in spec["linux"]["namespaces"] if kind["type"] not in of_the_host]
    spec["linux"]["seccomp"] = default_seccomp(capabilities)
    (bundle / "config.json").write_text(json.dumps(spec), encoding="utf-8")

    name = f"inetdiag-{uuid.uuid4().hex}"
    runc = ["runc", "--root", folder / "runc"]
    stop = lambda process: subprocess.run([*runc, "kill", name, "TERM"], check=False)
    with running(*runc, "run", "--bundle", bundle, name, ended_by=stop) as process:
        yield process
