"""podman with its default directories."""

from node import LISTENER_IMAGE, LISTENER_MOUNTS, in_cgroup, listener_command
from tools import output, wait_until

class Podman:
    def __init__(self, archive):
        self.run("load", "--input", archive)

    def run(self, *arguments):
        return output("podman", *arguments).strip()

    def listen(self, name, port, *options, backlog=128, cgroup="/init"):
        """Starts a container that listens and accepts nothing. Returns its ID. `cgroup` is that of podman itself."""
        volumes = [f"--volume={source}:{destination}:ro" for source, destination in LISTENER_MOUNTS]
        command = ["podman", "run", "--detach", f"--name={name}", *volumes, *options, LISTENER_IMAGE]
        container = output(*in_cgroup(cgroup, *command, *listener_command(port, backlog))).strip()
        wait_until(f"{name} listens", lambda: "listening" in self.run("logs", name))
        return container

    def make_pod(self, name):
        """Returns the ID of a pod."""
        infra = [f"--infra-image={LISTENER_IMAGE}", "--infra-command=/pause"]
        return self.run("pod", "create", f"--name={name}", *infra)

    def inspect(self, container, template):
        return self.run("inspect", f"--format={template}", container)

    def clear(self):
        self.run("pod", "rm", "--all", "--force", "--time=0")
        self.run("rm", "--all", "--force", "--time=0")
