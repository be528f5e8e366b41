"""A pod of the story, as kubelet leaves it: a network namespace that is pinned, a cgroup, a folder of logs."""

import os
from pathlib import Path

from conftest import wait_until
from test_netns import CONTAINER, UID, Inhabitant

NETNS, NAMESPACE, NAME = "cni-1", "shop", "web-0"
TROUBLES = (
    "Overflow 8080 8",
    "SynFlood 8443",
    "TimeWaits",
    "CloseWaits 7000",
    "Unanswered",
    "UdpFlood 5353",
    "UnixOverflow \0inetdiag-pod",
)


class Network:
    """An inhabited network namespace with a name."""

    def __init__(self, pins, name, cleanup, cgroup=None):
        inhabitant = Inhabitant(cgroup)
        cleanup.callback(inhabitant.end)
        pins.pin(name, inhabitant)
        cleanup.callback(pins.unpin, name)
        self.tell = inhabitant.tell


class Pod(Network):
    """Troubled as the story's own namespace is; kubelet's folder of its logs is below `logs`."""

    def __init__(self, pins, logs, cgroups, cleanup):
        (logs / f"{NAMESPACE}_{NAME}_{UID}").mkdir(parents=True)
        super().__init__(pins, NETNS, cleanup, cgroups and make_cgroup(cgroups, cleanup))
        self.tell("sysctl", "net.ipv4.tcp_syncookies", 1)
        self.tell("sysctl", "net.ipv4.tcp_synack_retries", 1)
        self.tell("black_hole")
        for trouble in TROUBLES:
            self.tell("trouble", trouble)

    def press(self):
        self.tell("press")

    def rest(self):
        self.tell("rest")


class Latecomer:
    """A network namespace that is one too many, by its name the last."""

    def __init__(self, pins, cleanup):
        self.pins = pins
        self.inhabitant = Inhabitant()
        self.pinned = False
        cleanup.callback(self.inhabitant.end)
        cleanup.callback(self.rest)

    def press(self):
        if not self.pinned:
            self.pins.pin("late", self.inhabitant)
            self.pinned = True

    def rest(self):
        if self.pinned:
            self.pins.unpin("late")
            self.pinned = False


def make_cgroup(root, cleanup):
    """One of a container, as kubelet's cgroupfs driver names it."""
    made = root
    for part in (f"inetdiag-story-{os.getpid()}", "kubepods", "burstable", f"pod{UID}", CONTAINER):
        made /= part
        made.mkdir()
        cleanup.callback(made.rmdir)
    cleanup.callback(wait_until, "the cgroup is empty", lambda: not Path(made, "cgroup.procs").read_text())
    return made
