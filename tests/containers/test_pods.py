"""Pods of containerd: which the exporter finds in each discovery mode, their names, owners and drops."""

import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from node import USER, Page, connections, exporter, in_network_of, labels, listen, queue_in_ss, with_privileges
from tools import assert_all_collectors_succeed, get, output, wait_until

MODES = ("off", "pinned", "processes", "all")


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def monitor(binary, pods):
    with exporter(binary, "--netns.discover=all") as started:
        yield started


@pytest.fixture
def stuck(make_pod):
    """A pod whose listener has a queue of three places."""
    pod = make_pod("shop", "stuck-0")
    listen(pod, "app", 8080, backlog=2)
    return pod


def pod_of(row):
    return labels(row, "pod_namespace", "pod_name", "pod_uid")


def owner_of(row):
    return *pod_of(row), *labels(row, "container_name", "container_id")


def identity(pod):
    return pod.namespace, pod.name, pod.uid


def owner(pod, container):
    return *identity(pod), container, pod.containers[container]


def inode_of(pod):
    """Returns the inode of a pod's network namespace."""
    pid = pod.processes(next(iter(pod.containers)))[0]
    return str(os.stat(f"/proc/{pid}/ns/net").st_ino)


def names(page):
    """Returns the names of the pods with a network namespace. One that dies has no process, and no name."""
    return {row.get("pod_name") for row in page.rows("inetdiag_netns_info")}


def netns_of(page, pod):
    return page.row("inetdiag_netns_info", pod_uid=pod.uid)["netns"]


def test_each_mode_names_the_pods_and_their_containers(binary, pods, mode):
    with exporter(binary, f"--netns.discover={mode}") as started:
        page = started.page()
    assert_all_collectors_succeed(page.text)
    rows = page.rows("inetdiag_netns_info")
    networks = {} if mode == "off" else {inode_of(pod): pod for pod in (pods["web-0"], pods["api-0"])}
    assert {row["inode"] for row in rows} == networks.keys() and len(rows) == len(networks)
    for row in rows:
        pod = networks[row["inode"]]
        assert pod_of(row) == identity(pod)
        assert row["netns"].startswith("cni-") if mode in ("pinned", "all") else row["netns"] == row["inode"]


@pytest.mark.parametrize("mode", MODES[1:])
def test_containers_of_a_namespace_are_those_that_listen(binary, pods, mode):
    """In each discovery mode, and not the container that pauses."""
    with exporter(binary, f"--netns.discover={mode}") as started:
        page = started.page()
    for pod in (pods["web-0"], pods["api-0"]):
        ids = page.row("inetdiag_netns_info", pod_uid=pod.uid)["container_id"].split(",")
        assert sorted(ids) == sorted(pod.containers.values())


@pytest.mark.parametrize("mode", MODES[1:])
def test_sockets_of_two_containers_in_a_pod_have_their_owners(binary, pods, mode):
    with exporter(binary, f"--netns.discover={mode}") as started:
        page = started.page()
    netns = netns_of(page, pods["web-0"])
    for container, port in (("app", "8080"), ("sidecar", "9090")):
        for metric in ("inetdiag_listener_info", "inetdiag_udp_info"):
            assert owner_of(page.row(metric, netns=netns, port=port)) == owner(pods["web-0"], container), metric


def test_pod_on_the_host_network_has_its_name_in_each_mode(binary, pods, mode):
    with exporter(binary, f"--netns.discover={mode}") as started:
        row = started.page().row("inetdiag_listener_info", port="8443")
    assert "netns" not in row
    assert owner_of(row) == owner(pods["proxy-0"], "proxy")


@pytest.mark.parametrize("shared, mode", [(["network"], "off"), ([], "all")])
def test_check_names_the_pod_and_the_container_of_a_full_queue(binary, make_pod, shared, mode):
    pod = make_pod("ingress", "edge-0", shared)
    listen(pod, "nginx", 8444, backlog=2)
    (pid,) = pod.processes("nginx")
    with connections(pod.address or "127.0.0.1", 8444, 8):
        wait_until("the queue is full", lambda: queue_in_ss(pid, 8444) == (3, 2))
        command = with_privileges(binary, "check", f"--netns.discover={mode}")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done
    (finding,) = [line for line in done.stdout.splitlines() if re.match("CRITICAL .*:8444 ", line)]
    assert "ingress/edge-0" in finding and "container nginx" in finding
    row = r"^0\.0\.0\.0:8444 .*ingress/edge-0\W.*\n? *nginx +\[#+\] 3/3 "  # in the table of listeners
    assert re.search(row, done.stdout, re.MULTILINE), done.stdout


def drops_in_nstat(pid):
    return int(in_network_of(pid, "nstat", "-asz", "TcpExtListenDrops").split()[-2])


def test_overflow_in_a_pod_is_what_ss_and_nstat_say(monitor, stuck):
    listener = {"netns": netns_of(monitor.page(), stuck), "port": "8080"}
    drops_of = lambda page: page.value("inetdiag_listener_listen_drops_total", **listener)
    page = monitor.page()
    (pid,) = stuck.processes("app")
    drops_before, kernel_before = drops_of(page), drops_in_nstat(pid)

    def quiet_page():
        """Returns a page after drops, if none happened meanwhile, and the kernel's number of them."""
        kernel = drops_in_nstat(pid)
        found = monitor.page()
        return kernel > kernel_before and kernel == drops_in_nstat(pid) and (found, kernel)

    with connections(stuck.address, 8080, 8):
        page, kernel = wait_until("the listener drops connections", quiet_page)
        queue = queue_in_ss(pid, 8080)
    assert drops_of(page) - drops_before == kernel - kernel_before
    assert page.value("inetdiag_nstat_tcpext_listen_drops_total", netns=listener["netns"]) == kernel
    assert queue == (3, 2)
    assert page.value("inetdiag_listener_accept_queue_length", **listener) == queue[0]
    assert page.value("inetdiag_listener_accept_queue_limit", **listener) == queue[1]
    assert owner_of(page.row("inetdiag_listener_info", **listener)) == owner(stuck, "app")


# /proc/PID/fd is readable by its owner and with CAP_DAC_READ_SEARCH only.
@pytest.mark.parametrize("user, found_by", [(0, "socket"), (USER, "cgroup")])
def test_process_in_a_pod_is_found_from_the_host(binary, stuck, user, found_by):
    with exporter(binary, "--netns.discover=all", user=user) as monitor, connections(stuck.address, 8080, 2):
        listener = {"netns": netns_of(monitor.page(), stuck), "port": "8080"}
        page = wait_until(
            "the process has series",
            lambda: (page := monitor.page()).rows("inetdiag_listener_process_info", **listener) and page,
        )
    (pid,) = stuck.processes("app")
    row = page.row("inetdiag_listener_process_info", **listener)
    assert (row["pid"], row["comm"]) == (str(pid), "python3")
    assert page.value("inetdiag_listener_owner_processes", found_by=found_by, **listener) == 1
    assert page.value("inetdiag_listener_process_threads", pid=str(pid), state="sleeping", **listener) == 1


def test_pods_that_die_during_scrapes_leave_the_others(make_pod, monitor, pods):
    doomed = [make_pod("shop", f"doomed-{number}") for number in range(3)]
    for pod in doomed:
        listen(pod, "app", 8080)
    others = {"web-0", "api-0"}
    assert names(monitor.page()) == others | {pod.name for pod in doomed}

    texts, is_over = [], threading.Event()

    def scrape():
        while not is_over.is_set():
            texts.append(get(monitor.url))

    threads = [threading.Thread(target=scrape) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for pod in doomed:
            pod.remove()
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert len(texts) > len(doomed) and all(texts)
    assert all(names(Page(text)) >= others for text in texts)
    page = wait_until("the pods are off the page", lambda: names(page := monitor.page()) == others and page)
    assert_all_collectors_succeed(page.text)
    assert "level=error" not in monitor.process.log()


@pytest.fixture
def docker_pin():
    """Pins a network namespace where Docker does, when it is called."""
    file = Path("/run/docker/netns/default")

    def pin():
        file.parent.mkdir(parents=True)
        file.touch()
        output("unshare", f"--net={file}", "true")

    yield pin
    if os.path.ismount(file):
        output("umount", file)
    shutil.rmtree("/run/docker", ignore_errors=True)


def test_missing_directory_of_namespaces_is_reported_until_it_exists(binary, pods, docker_pin):
    """As on a host with containerd, prepared for Docker."""
    arguments = ["--path.netns=/run/netns", "--path.netns=/run/docker/netns"]

    def existing(page):
        series = page.series("inetdiag_netns_directory_exists")
        return {each.labels["directory"]: each.value for each in series}

    with exporter(binary, "--netns.discover=pinned", *arguments) as started:
        page = started.page()
        assert existing(page) == {"/run/netns": 1, "/run/docker/netns": 0}
        assert names(page) == {"web-0", "api-0"}
        log = started.process.log()
        assert [line for line in log.splitlines() if "level=warn" in line and "/run/docker/netns" in line], log

        docker_pin()
        page = started.page()
    assert existing(page) == {"/run/netns": 1, "/run/docker/netns": 1}
    assert len(page.rows("inetdiag_netns_info")) == 3 and page.row("inetdiag_netns_info", netns="default")
