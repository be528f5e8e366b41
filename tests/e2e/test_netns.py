"""The netns collector: network namespaces other than the exporter's own."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

import pod
from conftest import listen, may_change_user, series_of, wait_until
from netns import NamespaceProcess, NetnsDirectory, unshare_mounts
from test_page import families_of_other_setups
from test_sandbox import threads_of

PORT = 8080
SYS_PTRACE, SYS_ADMIN = 19, 21


@pytest.fixture(autouse=True, scope="module")
def private_mounts():
    unshare_mounts()


@pytest.fixture
def new_namespace():
    """Creates network namespaces with a process in each, and removes them at the end of the test."""
    processes = []

    def create(**options):
        processes.append(NamespaceProcess(**options))
        return processes[-1]

    yield create
    for process in processes:
        if process.process.poll() is None:
            process.stop()


@pytest.fixture
def netns_dir():
    # Not tmp_path, which other users cannot read.
    top = Path(tempfile.mkdtemp(prefix="inetdiag-netns-"))
    top.chmod(0o755)
    directory = NetnsDirectory(top / "netns")
    yield directory
    for file in list(directory.path.iterdir()):
        subprocess.run(["umount", str(file)], check=False, capture_output=True)
    shutil.rmtree(top)


def only(*labels):
    """Excludes the namespaces of other programs on this machine."""
    return f"--netns.include=^({'|'.join(labels)})$"


def series_in(netns, series):
    """Returns the series of a namespace without their netns label. None is the exporter's own namespace."""
    found = {}
    for text, value in series.items():
        label = re.search(r'netns="([^"]*)"', text)
        if (label.group(1) if label else None) == netns:
            without_label = re.sub(r'\{?,?netns="[^"]*"(?=[,}])', lambda m: "{" if m[0][0] == "{" else "", text)
            found[without_label.replace("{}", "")] = value
    return found


def netns_success(series):
    return series['inetdiag_scrape_collector_success{collector="netns"}']


def info_in(netns, page):
    """Returns the labels of inetdiag_netns_info of a namespace."""
    found = [
        dict(re.findall(r'(\w+)="([^"]*)"', line))
        for line in page.splitlines()
        if line.startswith("inetdiag_netns_info{")
    ]
    (labels,) = [labels for labels in found if labels["netns"] == netns]
    return labels


@pytest.fixture
def three_namespaces(new_namespace, netns_dir):
    """Three namespaces: with two pins and a process, with a pin only, with a process only."""
    both, pinned, process = new_namespace(), new_namespace(), new_namespace()
    for namespace, somaxconn in zip((both, pinned, process), (100, 200, 300)):
        namespace.send_command("sysctl", "net.core.somaxconn", somaxconn)
    netns_dir.pin("alpha", both)
    netns_dir.pin("zeta", both)
    netns_dir.pin("beta", pinned)
    pinned.stop()
    (netns_dir.path / "not-a-namespace").touch()
    return both, pinned, process


def test_each_namespace_is_exported_once(start, netns_dir, three_namespaces):
    both, pinned, process = three_namespaces
    known = only("alpha", "beta", "zeta", both.inode, pinned.inode, process.inode)
    expected = {
        "pinned": {"alpha": 100, "beta": 200},
        "processes": {both.inode: 100, process.inode: 300},
        "all": {"alpha": 100, "beta": 200, process.inode: 300},
    }
    for mode, limits in expected.items():
        series = start(f"--netns.discover={mode}", f"--path.netns={netns_dir.path}", known).series()
        values = {
            re.search('netns="([^"]*)"', text)[1]: value
            for text, value in series.items()
            if text.startswith("inetdiag_sysctl_net_core_somaxconn{")
        }
        assert values == limits, mode
        assert series["inetdiag_netns_discovered"] == len(limits)
        assert series["inetdiag_netns_skipped"] == 0
        assert netns_success(series) == 1


def test_own_namespace_keeps_its_series(start, netns_dir, three_namespaces):
    _own = listen(port=PORT)
    exporters = start("--netns.discover=pinned", f"--path.netns={netns_dir.path}"), start()
    pinned, alone = (exporter.series() for exporter in exporters)
    added = {"inetdiag_netns_discovered", "inetdiag_netns_skipped"}
    added |= {f'inetdiag_netns_directory_exists{{directory="{netns_dir.path}"}}'}
    added |= {f'inetdiag_scrape_collector_{what}{{collector="netns"}}' for what in ("success", "duration_seconds")}
    assert set(series_in(None, pinned)) == set(alone) | added
    # Host-wide families are exported without a netns label only.
    other = set(series_in("alpha", pinned))
    for family in ("softnet_", "tcp_orphans", "tcp_memory", "page_size", "sysctl_fs_", "conntrack", "netlink_", "scrape_"):
        assert not [series for series in other if series.startswith(f"inetdiag_{family}")]
    assert "inetdiag_tcp_time_wait" in other


def test_sysctls_of_a_namespace_are_read_anew(start, netns_dir, new_namespace):
    somaxconn = 'inetdiag_sysctl_net_core_somaxconn{netns="alpha"}'
    exporter = start("--netns.discover=pinned", f"--path.netns={netns_dir.path}")
    for first, second in (11, 12), (13, 14):  # the second namespace has the name of the first one
        namespace = new_namespace()
        netns_dir.pin("alpha", namespace)
        for value in first, second:
            namespace.send_command("sysctl", "net.core.somaxconn", value)
            assert exporter.series()[somaxconn] == value
        netns_dir.unpin("alpha")
        namespace.stop()
        assert somaxconn not in exporter.series()


def test_accept_queue_overflow_in_another_namespace(start, binary, netns_dir, three_namespaces):
    overflowing, _, _ = three_namespaces
    overflowing.send_command("listen", PORT, 4)
    overflowing.send_command("connect", PORT, 12)
    wait_until("the queue is full", lambda: overflowing.accept_queue(PORT) == (5, 4))
    arguments = ["--netns.discover=pinned", f"--path.netns={netns_dir.path}"]
    drops_before = overflowing.counter("TcpExtListenDrops")
    exporter = start(*arguments)
    labels = f'{{address="127.0.0.1",port="{PORT}"}}'

    def scrape_while_unchanged():
        before = overflowing.counter("TcpExtListenDrops")
        series = series_in("alpha", exporter.series())
        return before > 0 and before == overflowing.counter("TcpExtListenDrops") and (before, series)

    drops, series = wait_until("the counters do not change during a scrape", scrape_while_unchanged)
    assert series[f"inetdiag_listener_socket_drops_total{labels}"] == drops
    # Those since the first scrape. Clients repeat their SYN after 1, 3 and 7 s.
    assert series[f"inetdiag_listener_listen_drops_total{labels}"] <= drops - drops_before
    assert series["inetdiag_nstat_tcpext_listen_drops_total"] == drops
    assert series[f"inetdiag_listener_accept_queue_length{labels}"] == 5
    assert series[f"inetdiag_listener_accept_queue_limit{labels}"] == 4
    assert series[f"inetdiag_listener_accept_queue_fill_ratio{labels}"] == 1
    assert series['inetdiag_tcp_sockets{state="listen"}'] == 1
    assert f"inetdiag_listener_listen_drops_total{labels}" not in series_in("beta", exporter.series())

    done = subprocess.run(
        [binary, "check", "--interval=0s", "--format=json", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["affected"]["labels"]["netns"] == "alpha"
    assert finding["affected"]["name"].endswith(" in namespace alpha")
    assert finding["limit"].endswith(", in namespace alpha"), "somaxconn is per namespace"


def test_half_open_connections_in_another_namespace(start, netns_dir, new_namespace):
    flooded = new_namespace()
    netns_dir.pin("flooded", flooded)
    flooded.send_command("flood", PORT)
    arguments = ["--netns.discover=pinned", f"--path.netns={netns_dir.path}"]
    with_dump = series_in("flooded", start(*arguments, "--netns.cpu-budget=100%").series())
    half_open = len(flooded.output_of("ss", "-tnH", "state", "syn-recv").splitlines())
    assert half_open > 0
    assert with_dump['inetdiag_tcp_sockets{state="syn_recv"}'] == half_open
    assert with_dump[f'inetdiag_listener_syn_queue_length{{address="10.99.0.1",port="{PORT}"}}'] == half_open
    assert with_dump["inetdiag_netns_tcp_dump_age_seconds"] == 0
    without_dump = series_in("flooded", start(*arguments, "--netns.cpu-budget=0").series())
    assert f'inetdiag_listener_sockets{{address="10.99.0.1",port="{PORT}"}}' in without_dump
    assert not [series for series in without_dump if "syn_queue" in series or "tcp_sockets{" in series or "age" in series]


def test_check_shows_peers_in_another_namespace(binary, netns_dir, new_namespace):
    """The namespace is pinned, and its finding names the command with its flags."""
    busy = new_namespace()
    netns_dir.pin("busy", busy)
    busy.send_command("listen", PORT, 16)
    busy.send_command("connect", PORT, 30)
    wait_until("the accept queue is full", lambda: busy.accept_queue(PORT) == (17, 16))
    pinned = ["--netns.discover=pinned", f"--path.netns={netns_dir.path}"]
    done = subprocess.run(
        [binary, "check", "--interval=0s", "--format=json", "--peers", *pinned], capture_output=True, text=True, check=False
    )
    document = json.loads(done.stdout)
    (port,) = document["peers"]
    assert (port["netns"], port["port"], port["error"]) == ("busy", str(PORT), None)
    waiting = [each for each in port["peers"] if each["peer"] == "127.0.0.1"]
    assert waiting[0]["at_least"] == port["sockets"] >= 17
    command = f"inetdiag_exporter sockets --path.netns={netns_dir.path} --netns=busy --top=peer --port={PORT} --waiting"
    assert f"`{command}` shows which clients are in it." in document["findings"][0]["action"]
    shown = subprocess.run([binary, *command.split()[1:]], capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[1].split() == ["17", "17", "100.0%", "127.0.0.1"]


def test_idle_namespace_needs_no_tcp_dump(start, netns_dir, new_namespace):
    idle = new_namespace()
    netns_dir.pin("idle", idle)
    idle.send_command("listen", PORT, 4)
    exporter = start("--netns.discover=pinned", f"--path.netns={netns_dir.path}", "--netns.cpu-budget=0")
    series = series_in("idle", exporter.series())
    assert series['inetdiag_tcp_sockets{state="listen"}'] == 1
    assert series[f'inetdiag_listener_syn_queue_length{{address="127.0.0.1",port="{PORT}"}}'] == 0
    assert series["inetdiag_netns_tcp_dump_age_seconds"] == 0
    idle.send_command("connect", PORT, 1)
    assert 'inetdiag_tcp_sockets{state="listen"}' in series_in("idle", exporter.series())  # from the cache
    assert series_in("idle", exporter.series())["inetdiag_netns_tcp_dump_age_seconds"] > 0


def test_flags_select_namespaces_and_counters(start, netns_dir, three_namespaces):
    arguments = ["--netns.discover=pinned", f"--path.netns={netns_dir.path}"]
    for flags, selected, skipped in (
        (["--netns.max=1"], {"alpha"}, 1),
        (["--netns.max=0"], set(), 2),
        (["--netns.include=^be"], {"beta"}, 0),
        (["--netns.exclude=^be"], {"alpha"}, 0),
    ):
        series = start(*arguments, *flags).series()
        assert {label for label in ("alpha", "beta") if series_in(label, series)} == selected, flags
        assert series["inetdiag_netns_skipped"] == skipped, flags
        assert series["inetdiag_netns_discovered"] == len(selected) + skipped, flags
    series = start(*arguments, "--netns.nstat.include=^IpInReceives$").series()
    assert [s for s in series_in("alpha", series) if "nstat" in s] == ["inetdiag_nstat_ip_in_receives_total"]
    assert len([s for s in series_in(None, series) if "nstat" in s]) > 100


def test_collect_and_exclude_apply_to_the_netns_collector(start, netns_dir, three_namespaces):
    exporter = start("--netns.discover=pinned", f"--path.netns={netns_dir.path}")
    only_netns = series_of(exporter.page("/metrics?collect[]=netns"))
    assert series_in("alpha", only_netns) and "inetdiag_sysctl_net_core_somaxconn" not in only_netns
    without_netns = series_of(exporter.page("/metrics?exclude[]=netns"))
    assert not series_in("alpha", without_netns) and "inetdiag_sysctl_net_core_somaxconn" in without_netns
    assert start().get("/metrics?collect[]=netns")[0] == 400


def cgroup_root():
    for mount in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        if os.path.exists(f"{mount}/cgroup.controllers"):
            return Path(mount)
    return pytest.skip("no cgroup v2 hierarchy")


@pytest.fixture
def make_cgroup():
    """Creates cgroups below a cgroup of the test, and removes them at its end."""
    top = cgroup_root() / f"inetdiag-test-{os.getpid()}"

    def make(path):
        try:
            (top / path).mkdir(parents=True)
        except OSError as error:
            pytest.skip(f"cannot create a cgroup: {error.strerror}")
        return top / path

    yield make
    for directory, _, _ in os.walk(top, topdown=False):
        wait_until("the cgroup is empty", lambda d=directory: not Path(d, "cgroup.procs").read_text())
        os.rmdir(directory)


SLICE = f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{pod.UID.replace('-', '_')}.slice"


@pytest.mark.parametrize(
    "path",
    [
        f"{SLICE}/cri-containerd-{pod.CONTAINER_ID}.scope",
        f"{SLICE}/crio-{pod.CONTAINER_ID}.scope",
        f"kubepods/burstable/pod{pod.UID}/{pod.CONTAINER_ID}",
    ],
    ids=["systemd-containerd", "systemd-crio", "cgroupfs"],
)
def test_pod_labels(start, binary, netns_dir, make_cgroup, new_namespace, tmp_path, path):
    (tmp_path / "pods" / f"{pod.NAMESPACE}_{pod.NAME}_{pod.UID}").mkdir(parents=True)
    process = new_namespace(cgroup=make_cgroup(path))
    process.send_command("listen", PORT, 4)
    process.send_command("connect", PORT, 12)
    wait_until("the queue is full", lambda: process.accept_queue(PORT) == (5, 4))
    netns_dir.pin(pod.NETNS, process)
    containers = tmp_path / "containers"
    containers.mkdir()
    (containers / f"{pod.NAME}_{pod.NAMESPACE}_app-{pod.CONTAINER_ID}.log").touch()
    logs = [f"--path.pod-logs={tmp_path / 'pods'}", f"--path.container-logs={containers}"]
    expected = {
        "inode": process.inode,
        "pod_namespace": "shop",
        "pod_name": "web-0",
        "pod_uid": pod.UID,
        "container_id": pod.CONTAINER_ID,
    }
    modes = {"pinned": "cni-1", "processes": process.inode, "all": "cni-1"}
    if has_sockets_without_cgroup(process):
        modes.pop("pinned")
    for mode, label in modes.items():
        arguments = [f"--netns.discover={mode}", f"--path.netns={netns_dir.path}", *logs, only(label)]
        exporter = start(*arguments)
        path = {} if mode == "processes" else {"path": str(netns_dir.path / pod.NETNS)}
        assert info_in(label, exporter.page()) == {"netns": label, **path, **expected}, mode

    findings = json.loads(exporter.get("/api/v1/status")[2])["findings"]
    assert [finding["affected"]["labels"]["netns"] for finding in findings] == ["cni-1"]
    assert findings[0]["affected"]["name"].startswith(f"127.0.0.1:{PORT}")
    assert findings[0]["affected"]["name"].endswith(" in pod shop/web-0")
    assert "in pod shop/web-0" in exporter.page("/")
    done = subprocess.run([binary, "check", "--interval=0s", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "in pod shop/web-0" in done.stdout


def has_sockets_without_cgroup(process):
    """Whether sockets have no cgroup, because net_cls or net_prio is in use."""
    return "cgroup:" not in process.output_of("ss", "-ltnH", "--cgroup")


def test_short_lived_namespaces_leak_no_descriptors_or_threads(start, binary, netns_dir, new_namespace):
    """A namespace that disappears during a scrape affects no other namespace."""
    netns_dir.pin("lasting", new_namespace())
    scrapes = 1000 if "san" not in binary else 100
    collectors = [f"--collector.{name}" for name in ("disable-defaults", "listeners", "tcp", "sockstat")]
    # In a user namespace, the exporter finds other namespaces of the machine but cannot enter them.
    mode = "all" if may_change_user() else "pinned"
    exporter = start(f"--netns.discover={mode}", f"--path.netns={netns_dir.path}", *collectors)

    def resources():
        own = Path("/proc", str(exporter.process.pid))
        return {kind: len(os.listdir(own / kind)) for kind in ("fd", "task")}

    stop = threading.Event()
    turns = threading.Semaphore(0)
    errors = []

    def create_and_remove():
        try:
            while turns.acquire() and not stop.is_set():
                process = subprocess.Popen(["unshare", "--net", "sleep", "inf"])
                file = netns_dir.path / "short"
                file.touch()
                own = Path(f"/proc/{process.pid}/ns/net")
                wait_until("unshare has a namespace", lambda: own.readlink() != Path("/proc/self/ns/net").readlink())
                subprocess.run(["mount", "--bind", own, file], check=True)
                process.kill()
                process.wait()
                # Lazily, as `ip netns` does: the exporter may have the file open.
                subprocess.run(["umount", "--lazy", file], check=True)
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            errors.append(error)

    path = "/metrics?collect[]=netns"
    for _ in range(20):
        exporter.page(path)
    before = resources()
    creator = threading.Thread(target=create_and_remove)
    creator.start()
    inodes = set()
    try:
        for i in range(20 * scrapes):
            if i >= scrapes and len(inodes) > 2:
                break
            if i % 10 == 0:
                turns.release()
            page = exporter.page(path)
            assert netns_success(series_of(page)) == 1, exporter.log
            assert 'inetdiag_netns_info{netns="lasting"' in page
            inodes.update(re.findall(r'netns_info\{.*inode="([^"]*)"', page))
    finally:
        stop.set()
        turns.release()
        creator.join()
    assert not errors
    assert len(inodes) > 2
    # A worker thread stays for the next scrape, and the server closes connections after the answer.
    wait_until("all resources are released", lambda: all(resources()[kind] <= before[kind] for kind in before))


@pytest.fixture
def as_nobody():
    if os.getuid() != 0 or not shutil.which("setpriv") or not may_change_user():
        pytest.skip("cannot switch to another user")
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_two_capabilities_suffice(start, netns_dir, three_namespaces, as_nobody, user):
    """For root as in deploy/kubernetes, for another user as in a systemd unit."""
    _, _, process = three_namespaces
    capabilities = "+sys_admin,+sys_ptrace"
    if user == "root":
        command = ["setpriv", f"--bounding-set=-all,{capabilities}", "--inh-caps=-all", "--no-new-privs"]
    else:
        command = [*as_nobody, f"--inh-caps=-all,{capabilities}", f"--ambient-caps={capabilities}", "--no-new-privs"]
    arguments = ["--netns.discover=all", f"--path.netns={netns_dir.path}", only("alpha", "beta", process.inode)]
    exporter = start(*arguments, command=command)
    series = exporter.series()
    status = Path(f"/proc/{exporter.process.pid}/status").read_text()
    assert re.search(r"^CapEff:\t0*280000$", status, re.M)
    assert netns_success(series) == 1, exporter.log
    assert "privileges" not in exporter.log
    for label, somaxconn in (("alpha", 100), ("beta", 200), (process.inode, 300)):
        assert series[f'inetdiag_sysctl_net_core_somaxconn{{netns="{label}"}}'] == somaxconn


@pytest.mark.parametrize(
    ("mode", "capabilities"), [("pinned", 1 << SYS_ADMIN), *((mode, 1 << SYS_ADMIN | 1 << SYS_PTRACE) for mode in ("processes", "all"))]
)
def test_sandbox_keeps_the_capabilities_of_the_mode(start, netns_dir, new_namespace, is_sanitized, mode, capabilities):
    process = new_namespace()
    process.send_command("listen", PORT, 4)
    netns_dir.pin("other", process)
    label = process.inode if mode == "processes" else "other"
    arguments = [f"--netns.discover={mode}", f"--path.netns={netns_dir.path}", only(label)]
    exporter = start(*arguments, "--netns.cpu-budget=100%")
    series = series_in(label, exporter.series())
    assert netns_success(exporter.series()) == 1, exporter.log
    labels = f'{{address="127.0.0.1",port="{PORT}"}}'
    for name in (
        f"inetdiag_listener_accept_queue_limit{labels}",
        f"inetdiag_listener_syn_queue_length{labels}",
        'inetdiag_tcp_sockets{state="listen"}',
        "inetdiag_nstat_tcpext_listen_drops_total",
        "inetdiag_sysctl_net_core_somaxconn",
        "inetdiag_tcp_time_wait",
    ):
        assert name in series
    if is_sanitized:
        pytest.skip("a sanitizer needs more than the sandbox allows")
    for thread in threads_of(exporter):
        assert {thread["Seccomp"], thread["NoNewPrivs"]} == {"2", "1"}
        assert thread["CapInh"] == thread["CapAmb"] == "0" * 16
        assert int(thread["CapEff"], 16) == int(thread["CapPrm"], 16) == capabilities
        if may_change_user():
            assert int(thread["CapBnd"], 16) == capabilities
    # Landlock would hide the namespaces of other processes.
    assert ("landlock: incompatible with reading /proc/PID/ns" in exporter.log) == (mode != "pinned")


def test_missing_privileges_are_named(start, binary, netns_dir, three_namespaces, as_nobody):
    exporter = start("--netns.discover=all", f"--path.netns={netns_dir.path}", command=as_nobody)
    series = exporter.series()
    assert "CAP_SYS_ADMIN (to enter network namespaces)" in exporter.log
    assert "CAP_SYS_PTRACE (to find namespaces of other users' processes)" in exporter.log
    assert netns_success(series) == 0
    successes = {text: value for text, value in series.items() if "collector_success" in text}
    assert [text for text, value in successes.items() if value == 0] == [
        'inetdiag_scrape_collector_success{collector="netns"}'
    ]
    log = exporter.end()[1]
    assert "(needs CAP_SYS_ADMIN)" in log
    assert "(needs CAP_SYS_PTRACE)" in log
    assert series["inetdiag_netns_skipped"] == series["inetdiag_netns_discovered"] > 0
    done = subprocess.run(
        [*as_nobody, binary, "check", "--interval=0s", "--netns.discover=pinned", f"--path.netns={netns_dir.path}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "collector netns" in done.stdout
    assert "CAP_SYS_ADMIN" in done.stderr and "CAP_SYS_PTRACE" not in done.stderr


def test_absent_netns_directory_and_file_in_its_place(start, new_namespace, tmp_path):
    absent = start("--netns.discover=pinned", f"--path.netns={tmp_path / 'none'}")
    exists = f'inetdiag_netns_directory_exists{{directory="{tmp_path / "none"}"}}'
    for _ in range(2):
        series = absent.series()
    assert (netns_success(series), series["inetdiag_netns_discovered"], series[exists]) == (1, 0, 0)
    late = NetnsDirectory(tmp_path / "none")
    late.pin("late", new_namespace())
    series = absent.series()
    assert series['inetdiag_sysctl_net_core_somaxconn{netns="late"}'] > 0, absent.log
    assert series[exists] == 1
    late.unpin("late")
    warnings = [line for line in absent.end()[1].splitlines() if f"{tmp_path / 'none'} does not exist" in line]
    assert len(warnings) == 1 and "level=warn" in warnings[0] and "--path.netns" in warnings[0]
    (tmp_path / "file").touch()
    wrong = start("--netns.discover=pinned", f"--path.netns={tmp_path / 'file'}")
    assert netns_success(wrong.series()) == 0
    assert "Not a directory" in wrong.end()[1]


def test_several_netns_directories(start, run, netns_dir, new_namespace, tmp_path):
    """As of containerd and Docker, which can have the same name."""
    first, second, third = new_namespace(), new_namespace(), new_namespace()
    docker = NetnsDirectory(tmp_path / "docker")
    try:
        netns_dir.pin("blue", first)
        docker.pin("blue", second)
        docker.pin("green", third)
        third.send_command("listen", PORT, 4)
        second.send_command("listen", PORT, 4)
        second.send_command("connect", PORT, 12)
        wait_until("the queue is full", lambda: second.accept_queue(PORT) == (5, 4))
        directories = [f"--path.netns={directory}" for directory in (netns_dir.path, docker.path, tmp_path / "none")]
        page = start("--netns.discover=pinned", *directories).page()
        paths = {}
        for label in ("blue", f"blue-{second.inode}", "green"):
            paths[label] = info_in(label, page)["path"]
        assert paths == {
            "blue": str(netns_dir.path / "blue"),
            f"blue-{second.inode}": str(docker.path / "blue"),
            "green": str(docker.path / "green"),
        }
        done = run("sockets", "--netns=green", "--state=listen", *directories)
        assert f":{PORT} " in done.stdout, done
        done = run("check", "--interval=0s", "--peers", "--netns.discover=pinned", *directories)
        assert re.search(rf"port {PORT} in namespace blue-{second.inode}: \d+ connections", done.stdout), done
        missing = run("sockets", "--netns=none", *directories)
        expected = f"cannot find network namespace 'none' in {netns_dir.path} or {docker.path} or {tmp_path / 'none'}"
        assert missing.returncode != 0 and expected in missing.stderr
    finally:
        docker.unpin("blue")
        docker.unpin("green")


def test_symbolic_links_out_of_the_netns_directory_need_no_sandbox(start, netns_dir, new_namespace):
    pinned, linked = new_namespace(), new_namespace()
    target = netns_dir.path.parent / "target"
    target.touch()
    subprocess.run(["mount", "--bind", pinned.file, target], check=True)
    arguments = ["--netns.discover=pinned", f"--path.netns={netns_dir.path}"]
    try:
        netns_dir.pin("n1", pinned)
        (netns_dir.path / "alias").symlink_to(target)
        exporter = start(*arguments)
        if "sandbox only partially applied" in exporter.log:
            pytest.skip("the sandbox is only partially applied: " + exporter.log)
        series = exporter.series()
        assert 'inetdiag_sysctl_net_core_somaxconn{netns="n1"}' in series, exporter.log
        assert (netns_success(series), series["inetdiag_netns_discovered"]) == (1, 1)

        netns_dir.unpin("n1")
        (netns_dir.path / "lost").symlink_to(linked.file)
        series = exporter.series()
        assert (netns_success(series), not series_in("alias", series), not series_in("lost", series)) == (0, True, True)
        log = exporter.end()[1]
        for error in (f"cannot open {netns_dir.path}/alias", f"cannot stat {netns_dir.path}/lost"):
            assert f"{error}: Permission denied (the sandbox does not follow symbolic links" in log

        series = start(*arguments, "--no-sandbox").series()
        assert netns_success(series) == 1
        assert {label for label in ("alias", "lost") if series_in(label, series)} == {"alias", "lost"}
    finally:
        subprocess.run(["umount", "--lazy", target], check=True)


def test_labels_are_unique_and_valid_utf8(start, netns_dir, new_namespace):
    first, second, third = new_namespace(), new_namespace(), new_namespace()
    for name, process in ((b"\xfe", first), (b"\xff", second), (third.inode.encode(), new_namespace())):
        netns_dir.pin(os.fsdecode(name), process)
    replaced = "\N{REPLACEMENT CHARACTER}"
    known = only(f"{replaced}.*", f"{third.inode}.*")
    page = start("--netns.discover=all", f"--path.netns={netns_dir.path}", known).page()
    labels = re.findall(r'^inetdiag_sysctl_net_core_somaxconn\{netns="([^"]*)"', page, re.M)
    expected = [replaced, f"{replaced}-{second.inode}", third.inode, f"{third.inode}-{third.inode}"]
    assert sorted(labels) == sorted(expected)
    assert info_in(replaced, page)["inode"] == first.inode
    assert info_in(third.inode, page)["inode"] != third.inode


def test_families_of_other_namespaces_are_documented(start, netns_dir, three_namespaces, request):
    page = start("--netns.discover=pinned", f"--path.netns={netns_dir.path}").page()
    exported = families_of_other_setups(page, request)
    assert len({family for family in exported if family.startswith("inetdiag_netns_")}) == 5
    result = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
