"""What the tests of all engines need of the node: images, listeners, processes, the exporter and its page."""

import contextlib
import socket
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tools import ROOT, get, get_when_up, output, running, wait_until

LISTENER_IMAGE, EXPORTER_IMAGE = "localhost/listener:test", "localhost/inetdiag-exporter:test"
# (path on the node, path in the container)
LISTENER_MOUNTS = [("/usr", "/usr"), (ROOT / "tests/containers", "/app")]
ADDRESS = "127.0.0.1:10045"
USER = 65534
CAPABILITIES = "-all,+sys_admin,+sys_ptrace"


def listener_command(port, backlog=128):
    return ["/usr/bin/python3", "/app/listener.py", str(port), str(backlog)]


def listen(pod, name, port, backlog=128):
    """Starts a container that listens and accepts nothing."""
    mounts = [
        {"host_path": str(source), "container_path": destination, "readonly": True}
        for source, destination in LISTENER_MOUNTS
    ]
    pod.start(name, LISTENER_IMAGE, listener_command(port, backlog), mounts=mounts)
    wait_until(f"{pod.name}/{name} listens", lambda: "listening" in pod.log(name))


def hierarchies(types):
    """Returns the mount points of the cgroup hierarchies."""
    return output("findmnt", "--list", "--noheadings", "--output=TARGET", f"--types={types}").split()


def processes(cgroup):
    """Returns the PIDs in a cgroup."""
    (mount,) = hierarchies("cgroup2")
    return [int(pid) for pid in Path(f"{mount}{cgroup}/cgroup.procs").read_text(encoding="utf-8").split()]


def in_cgroup(cgroup, *command):
    """Returns a command that runs in a cgroup of each hierarchy, as systemd starts a service."""
    files = []
    for mount in hierarchies("cgroup,cgroup2"):
        directory = Path(mount)
        for part in Path(cgroup).parts[1:]:
            parent, directory = directory, directory / part
            directory.mkdir(exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):  # empty in a new cgroup of v1, which then takes no processes
                if (parent / name).exists():
                    (directory / name).write_text((parent / name).read_text())
        files.append(str(directory / "cgroup.procs"))
    return ["sh", "-ec", f'for file in {" ".join(files)}; do echo 0 >$file; done; exec "$@"', "sh", *command]


def in_network_of(pid, *command):
    return output("nsenter", f"--net=/proc/{pid}/ns/net", *command)


def queue_in_ss(pid, port):
    """Returns the length and the limit of an accept queue in the network namespace of a process."""
    fields = in_network_of(pid, "ss", "-ltnH", f"sport = {port}").split()
    return int(fields[1]), int(fields[2])


@contextlib.contextmanager
def connections(address, port, count):
    """Opens connections without waiting for them."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex((address, port))
        yield


class Page:
    """The series of /metrics."""

    def __init__(self, text):
        self.text = text
        self.samples = [each for family in text_string_to_metric_families(text) for each in family.samples]

    def series(self, name, **labels):
        """Returns the series that have these labels."""
        return [each for each in self.samples if each.name == name and labels.items() <= each.labels.items()]

    def rows(self, name, **labels):
        """Returns the labels of the series that have these labels."""
        return [each.labels for each in self.series(name, **labels)]

    def only(self, name, **labels):
        found = self.series(name, **labels)
        assert len(found) == 1, f"{name}{labels}: {found} of {self.rows(name)}"
        return found[0]

    def row(self, name, **labels):
        return self.only(name, **labels).labels

    def value(self, name, **labels):
        return self.only(name, **labels).value


def labels(row, *names):
    """Returns some labels of a series. An absent one is empty."""
    return tuple(row.get(name, "") for name in names)


class Exporter:
    def __init__(self, process):
        self.process = process
        self.url = f"http://{ADDRESS}/metrics"
        get_when_up(process, self.url)

    def page(self):
        return Page(get(self.url))


def with_privileges(*command, user=USER):
    """Returns a command that runs as a user with the capabilities of deploy/systemd/netns.conf."""
    capabilities = [f"--{kind}={CAPABILITIES}" for kind in ("bounding-set", "inh-caps", "ambient-caps")]
    identity = [f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs"]
    return ["setpriv", *identity, *capabilities, *command]


@contextlib.contextmanager
def exporter(binary, *arguments, user=USER):
    """The exporter as a service of the node, with the privileges to monitor other network namespaces."""
    with running(*with_privileges(binary, f"--web.listen-address={ADDRESS}", *arguments, user=user)) as process:
        yield Exporter(process)
