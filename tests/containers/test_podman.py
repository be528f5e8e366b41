"""Containers and pods of podman: which the exporter finds, and their owners."""

import os
import subprocess
from pathlib import Path

import pytest

from node import connections, exporter, labels, queue_in_ss, with_privileges
from podman import Podman
from tools import wait_until

MODES = ("pinned", "processes", "all")


@pytest.fixture(scope="module")
def podman(listener_archive):
    engine = Podman(listener_archive)
    yield engine
    engine.clear()


@pytest.fixture(scope="module")
def containers(podman):
    """IDs by name: one container, two in a pod, and one on the host's network."""
    podman.make_pod("shop")
    return {
        "web": podman.listen("web", 7080),
        "app": podman.listen("app", 7081, "--pod=shop"),
        "sidecar": podman.listen("sidecar", 7082, "--pod=shop"),
        # In the hybrid layout, podman moves conmon in the hierarchies of cgroup v1 only.
        "proxy": podman.listen("proxy", 7443, "--network=host", cgroup="/libpod_parent/conmon"),
    }


def rows_of(page, podman, container):
    """Returns the rows of inetdiag_netns_info for the network namespace of a container."""
    pid = podman.inspect(container, "{{.State.Pid}}")
    return page.rows("inetdiag_netns_info", inode=str(os.stat(f"/proc/{pid}/ns/net").st_ino))


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_finds_the_containers(binary, podman, containers, mode):
    with exporter(binary, f"--netns.discover={mode}") as started:
        page = started.page()
    (web,) = rows_of(page, podman, "web")
    (shop,) = rows_of(page, podman, "app")
    assert rows_of(page, podman, "sidecar") == [shop] and not rows_of(page, podman, "proxy")
    assert web["container_id"] == containers["web"]
    # Not the infra container of the pod.
    assert set(shop["container_id"].split(",")) == {containers["app"], containers["sidecar"]}
    if mode == "processes":
        assert web["netns"] == web["inode"]
    else:
        assert web["netns"] == Path(podman.inspect("web", "{{.NetworkSettings.SandboxKey}}")).name


@pytest.mark.parametrize("mode", MODES)
def test_listeners_in_a_pod_have_their_containers(binary, podman, containers, mode):
    with exporter(binary, f"--netns.discover={mode}") as started:
        page = started.page()
    (shop,) = rows_of(page, podman, "app")
    ids = {port: page.row("inetdiag_listener_info", netns=shop["netns"], port=port) for port in ("7081", "7082")}
    assert {port: row["container_id"] for port, row in ids.items()} == {
        "7081": containers["app"],
        "7082": containers["sidecar"],
    }


def test_container_on_the_host_network_has_its_name(binary, containers):
    with exporter(binary) as started:
        row = started.page().row("inetdiag_listener_info", port="7443")
    assert "netns" not in row
    assert labels(row, "container_name", "container_id") == ("proxy", containers["proxy"])


def test_container_of_a_quadlet_has_its_unit(binary, podman):
    """systemd starts `podman run --cgroups=split` in the cgroup of the service."""
    cgroup = "/system.slice/web.service"
    container = podman.listen("quadlet", 7444, "--network=host", "--cgroups=split", cgroup=cgroup)
    with exporter(binary) as started:
        row = started.page().row("inetdiag_listener_info", port="7444")
    assert row["cgroup"] == f"{cgroup}/libpod-payload-{container}"
    assert labels(row, "unit", "container_name", "container_id") == ("web.service", "quadlet", container)


def test_check_names_the_container_of_a_full_queue(binary, podman):
    podman.listen("full", 7445, "--network=host", backlog=2, cgroup="/libpod_parent/conmon")
    pid = podman.inspect("full", "{{.State.Pid}}")
    with connections("127.0.0.1", 7445, 8):
        wait_until("the queue is full", lambda: queue_in_ss(pid, 7445) == (3, 2))
        done = subprocess.run(with_privileges(binary, "check"), capture_output=True, text=True, check=False)
    assert done.returncode == 2, done
    finding = next(line for line in done.stdout.splitlines() if line.startswith("CRITICAL") and ":7445" in line)
    assert "container full" in finding
