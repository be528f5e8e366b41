"""A faulty pod as kubelet creates it: a pinned network namespace, a cgroup, a directory of logs."""

import os
from pathlib import Path

from conftest import wait_until
from netns import NamespaceProcess

NETNS, NAMESPACE, NAME = "cni-1", "shop", "web-0"
UID = "0a1b2c3d-0000-1111-2222-0123456789ab"
CONTAINER_ID = "ab" * 32
FAULTS = (
    "AcceptQueueOverflow 8080 8",
    "StuckServer 7001",
    "SlowServer 7003",
    "SynFlood 8443",
    "SynCookiesWithOverflow 8444",
    "LostSynAcks 8445",
    "TimeWaitOverflow",
    "CloseWaitLeak 7000",
    "UnansweredConnects",
    "UdpFlood 5353",
    "UnixAcceptQueueOverflow \0inetdiag-pod",
)


class PinnedNamespace:
    """A pinned network namespace with a process in it, which executes faults."""

    def __init__(self, netns_directory, name, cleanup, cgroup=None):
        process = NamespaceProcess(cgroup)
        cleanup.callback(process.stop)
        netns_directory.pin(name, process)
        cleanup.callback(netns_directory.unpin, name)
        self.send_command = process.send_command

    def inject(self):
        self.send_command("inject")

    def clear(self):
        self.send_command("clear")


class Pod(PinnedNamespace):
    """A pod with the faults of the scenario's own namespace. `logs` is kubelet's directory of pod logs."""

    def __init__(self, netns_directory, logs, cgroups, cleanup):
        (logs / f"{NAMESPACE}_{NAME}_{UID}").mkdir(parents=True)
        super().__init__(netns_directory, NETNS, cleanup, cgroups and make_cgroup(cgroups, cleanup))
        self.send_command("sysctl", "net.ipv4.tcp_syncookies", 1)
        self.send_command("sysctl", "net.ipv4.tcp_synack_retries", 1)
        self.send_command("black_hole")
        for fault in FAULTS:
            self.send_command("fault", fault)


class ExtraNamespace:
    """A pinned namespace that exceeds --netns.max. Its name sorts last."""

    def __init__(self, netns_directory, cleanup):
        self.netns_directory = netns_directory
        self.process = NamespaceProcess()
        self.is_pinned = False
        cleanup.callback(self.process.stop)
        cleanup.callback(self.clear)

    def inject(self):
        if not self.is_pinned:
            self.netns_directory.pin("extra", self.process)
            self.is_pinned = True

    def clear(self):
        if self.is_pinned:
            self.netns_directory.unpin("extra")
            self.is_pinned = False


def make_cgroup(root, cleanup):
    """Creates the cgroup of a container, named as by kubelet's cgroupfs driver."""
    cgroup = root
    for part in (f"inetdiag-scenario-{os.getpid()}", "kubepods", "burstable", f"pod{UID}", CONTAINER_ID):
        cgroup /= part
        cgroup.mkdir()
        cleanup.callback(cgroup.rmdir)
    cleanup.callback(wait_until, "the cgroup is empty", lambda: not Path(cgroup, "cgroup.procs").read_text())
    return cgroup
