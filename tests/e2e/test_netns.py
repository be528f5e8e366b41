"""Network namespaces beside the exporter's own, as `ip netns`, containerd and kubelet leave them."""

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from conftest import ROOT, listen, series_of, wait_until
from test_page import families_of_other_setups, may_change_user
from test_sandbox import threads_of

PORT = 8080
SYS_PTRACE, SYS_ADMIN = 19, 21
CLONE_NEWNS = 0x20000
MS_PRIVATE_EVERYWHERE = (1 << 18) | 0x4000
UID = "0a1b2c3d-0000-1111-2222-0123456789ab"
CONTAINER = "ab" * 32
libc = ctypes.CDLL(None, use_errno=True)


def own_mounts():
    """What is mounted from now on is seen by this process and what it starts."""
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(None, b"/", None, MS_PRIVATE_EVERYWHERE, None) != 0:
        pytest.skip(f"no mount namespace of its own: {os.strerror(ctypes.get_errno())}")


@pytest.fixture(autouse=True, scope="module")
def mounts():
    own_mounts()


class Inhabitant:
    """A process in a new network namespace, which does what it is told to."""

    def __init__(self, cgroup=None):
        self.process = subprocess.Popen(
            ["unshare", "--net", sys.executable, str(ROOT / "tests" / "e2e" / "inhabitant.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "here\n"
        self.file = f"/proc/{self.process.pid}/ns/net"
        self.inode = str(os.stat(self.file).st_ino)
        if cgroup:
            (cgroup / "cgroup.procs").write_text(str(self.process.pid))

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def output_of(self, *command):
        return subprocess.run(
            ["nsenter", f"--net={self.file}", *command], capture_output=True, text=True, check=True
        ).stdout

    def queue(self, port):
        """Recv-Q and Send-Q of a listener, as ss tells them."""
        fields = self.output_of("ss", "-ltnH", f"sport = {port}").split()
        return int(fields[1]), int(fields[2])

    def counter(self, name):
        """As nstat tells it."""
        return int(self.output_of("nstat", "-asz", name).splitlines()[1].split()[1])

    def end(self):
        self.process.communicate()


@pytest.fixture
def inhabit():
    """Makes inhabited namespaces; all end with the test."""
    there = []

    def make(**options):
        there.append(Inhabitant(**options))
        return there[-1]

    yield make
    for inhabitant in there:
        if inhabitant.process.poll() is None:
            inhabitant.end()


class Folder:
    """Where namespaces are pinned, as `ip netns` does it."""

    def __init__(self, path):
        self.path = path
        path.mkdir()

    def pin(self, name, inhabitant):
        file = self.path / name
        file.touch()
        subprocess.run(["mount", "--bind", inhabitant.file, str(file)], check=True)

    def unpin(self, name):
        """Somebody may just look: `ip netns` is as lazy."""
        subprocess.run(["umount", "--lazy", str(self.path / name)], check=True)
        (self.path / name).unlink()


@pytest.fixture
def folder():
    # Open to other users, unlike pytest's own.
    top = Path(tempfile.mkdtemp(prefix="inetdiag-netns-"))
    top.chmod(0o755)
    found = Folder(top / "netns")
    yield found
    for file in list(found.path.iterdir()):
        subprocess.run(["umount", str(file)], check=False, capture_output=True)
    shutil.rmtree(top)


def only(*labels):
    """Other namespaces of the machine are none of the test's business."""
    return f"--netns.include=^({'|'.join(labels)})$"


def of(series, netns):
    """The series of one namespace without its label; netns None: those of the exporter's own."""
    found = {}
    for text, value in series.items():
        label = re.search(r'netns="([^"]*)"', text)
        if (label.group(1) if label else None) == netns:
            found[re.sub(r'\{?,?netns="[^"]*"(?=[,}])', lambda m: "{" if m[0][0] == "{" else "", text).replace("{}", "")] = value
    return found


def success(series):
    """Whether the collector of other namespaces told all it should."""
    return series['inetdiag_scrape_collector_success{collector="netns"}']


def info_of(page, netns):
    """The labels of inetdiag_netns_info of one namespace."""
    found = [
        dict(re.findall(r'(\w+)="([^"]*)"', line))
        for line in page.splitlines()
        if line.startswith("inetdiag_netns_info{")
    ]
    (labels,) = [labels for labels in found if labels["netns"] == netns]
    return labels


@pytest.fixture
def three(inhabit, folder):
    """One pinned by two names and inhabited, one pinned only, one inhabited only."""
    named, pinned, inhabited = inhabit(), inhabit(), inhabit()
    for inhabitant, somaxconn in zip((named, pinned, inhabited), (100, 200, 300)):
        inhabitant.tell("sysctl", "net.core.somaxconn", somaxconn)
    folder.pin("alpha", named)
    folder.pin("zeta", named)
    folder.pin("beta", pinned)
    pinned.end()
    (folder.path / "left-behind").touch()
    return named, pinned, inhabited


def test_each_namespace_is_told_once_however_it_is_known(start, folder, three):
    named, pinned, inhabited = three
    known = only("alpha", "beta", "zeta", named.inode, pinned.inode, inhabited.inode)
    expected = {
        "pinned": {"alpha": 100, "beta": 200},
        "processes": {named.inode: 100, inhabited.inode: 300},
        "all": {"alpha": 100, "beta": 200, inhabited.inode: 300},
    }
    for mode, limits in expected.items():
        series = start(f"--netns.discover={mode}", f"--path.netns={folder.path}", known).series()
        told = {
            re.search('netns="([^"]*)"', text)[1]: value
            for text, value in series.items()
            if text.startswith("inetdiag_sysctl_net_core_somaxconn{")
        }
        assert told == limits, mode
        assert series["inetdiag_netns_discovered"] == len(limits)
        assert series["inetdiag_netns_skipped"] == 0
        assert success(series) == 1


def test_the_own_namespace_keeps_its_series(start, folder, three):
    _own = listen(port=PORT)
    exporters = start("--netns.discover=pinned", f"--path.netns={folder.path}"), start()
    pinned, alone = (exporter.series() for exporter in exporters)
    added = {"inetdiag_netns_discovered", "inetdiag_netns_skipped"}
    added |= {f'inetdiag_scrape_collector_{what}{{collector="netns"}}' for what in ("success", "duration_seconds")}
    assert set(of(pinned, None)) == set(alone) | added
    # What is of the whole host is told once.
    other = set(of(pinned, "alpha"))
    for family in ("softnet_", "tcp_orphans", "tcp_memory", "page_size", "sysctl_fs_", "conntrack", "scrape_"):
        assert not [series for series in other if series.startswith(f"inetdiag_{family}")]
    assert "inetdiag_tcp_time_wait" in other


def test_a_listener_that_overflows_elsewhere(start, binary, folder, three):
    named, _, _ = three
    named.tell("listen", PORT, 4)
    named.tell("connect", PORT, 12)
    wait_until("the queue is full", lambda: named.queue(PORT) == (5, 4))
    arguments = ["--netns.discover=pinned", f"--path.netns={folder.path}"]
    exporter = start(*arguments)
    at = f'{{address="127.0.0.1",port="{PORT}"}}'

    def settled():
        before = named.counter("TcpExtListenDrops")
        there = of(exporter.series(), "alpha")
        return before > 0 and before == named.counter("TcpExtListenDrops") and (before, there)

    drops, there = wait_until("the counters stand still during a scrape", settled)
    assert there[f"inetdiag_listener_drops_total{at}"] == drops
    assert there["inetdiag_nstat_tcpext_listen_drops_total"] == drops
    assert there[f"inetdiag_listener_accept_queue_length{at}"] == 5
    assert there[f"inetdiag_listener_accept_queue_limit{at}"] == 4
    assert there[f"inetdiag_listener_accept_queue_fill_ratio{at}"] == 1
    assert there['inetdiag_tcp_sockets{state="listen"}'] == 1
    assert f"inetdiag_listener_drops_total{at}" not in of(exporter.series(), "beta")

    done = subprocess.run(
        [binary, "check", "--interval=0s", "--format=json", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["affected"]["labels"]["netns"] == "alpha"
    assert finding["affected"]["name"].endswith(" in namespace alpha")
    assert finding["limit"].endswith(", in namespace alpha"), "its somaxconn is no other's"


def test_half_open_connections_elsewhere(start, folder, inhabit):
    there = inhabit()
    folder.pin("flooded", there)
    there.tell("flood", PORT)
    arguments = ["--netns.discover=pinned", f"--path.netns={folder.path}"]
    always = of(start(*arguments, "--collector.tcp.cpu-budget=100%").series(), "flooded")
    half_open = len(there.output_of("ss", "-tnH", "state", "syn-recv").splitlines())
    assert half_open > 0
    assert always['inetdiag_tcp_sockets{state="syn_recv"}'] == half_open
    assert always[f'inetdiag_listener_syn_queue_length{{address="10.99.0.1",port="{PORT}"}}'] == half_open
    assert always["inetdiag_netns_tcp_dump_age_seconds"] == 0
    never = of(start(*arguments, "--collector.tcp.cpu-budget=0").series(), "flooded")
    assert f'inetdiag_listener_sockets{{address="10.99.0.1",port="{PORT}"}}' in never
    assert not [series for series in never if "syn_queue" in series or "tcp_sockets{" in series or "age" in series]


def test_a_namespace_where_nothing_moves_needs_no_walk(start, folder, inhabit):
    idle = inhabit()
    folder.pin("idle", idle)
    idle.tell("listen", PORT, 4)
    exporter = start("--netns.discover=pinned", f"--path.netns={folder.path}", "--collector.tcp.cpu-budget=0")
    told = of(exporter.series(), "idle")
    assert told['inetdiag_tcp_sockets{state="listen"}'] == 1
    assert told[f'inetdiag_listener_syn_queue_length{{address="127.0.0.1",port="{PORT}"}}'] == 0
    assert told["inetdiag_netns_tcp_dump_age_seconds"] == 0
    idle.tell("connect", PORT, 1)
    assert 'inetdiag_tcp_sockets{state="listen"}' in of(exporter.series(), "idle")  # as it was
    assert of(exporter.series(), "idle")["inetdiag_netns_tcp_dump_age_seconds"] > 0


def test_which_are_asked_can_be_chosen(start, folder, three):
    arguments = ["--netns.discover=pinned", f"--path.netns={folder.path}"]
    for flags, told, left_out in (
        (["--netns.max=1"], {"alpha"}, 1),
        (["--netns.max=0"], set(), 2),
        (["--netns.include=^be"], {"beta"}, 0),
        (["--netns.exclude=^be"], {"alpha"}, 0),
    ):
        series = start(*arguments, *flags).series()
        assert {label for label in ("alpha", "beta") if of(series, label)} == told, flags
        assert series["inetdiag_netns_skipped"] == left_out, flags
        assert series["inetdiag_netns_discovered"] == len(told) + left_out, flags
    series = start(*arguments, "--netns.nstat.include=^IpInReceives$").series()
    assert [s for s in of(series, "alpha") if "nstat" in s] == ["inetdiag_nstat_ip_in_receives_total"]
    assert len([s for s in of(series, None) if "nstat" in s]) > 100


def test_a_scrape_can_choose_the_collector(start, folder, three):
    exporter = start("--netns.discover=pinned", f"--path.netns={folder.path}")
    just = series_of(exporter.page("/metrics?collect[]=netns"))
    assert of(just, "alpha") and "inetdiag_sysctl_net_core_somaxconn" not in just
    without = series_of(exporter.page("/metrics?exclude[]=netns"))
    assert not of(without, "alpha") and "inetdiag_sysctl_net_core_somaxconn" in without
    assert start().get("/metrics?collect[]=netns")[0] == 400


def cgroup_root():
    for mount in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        if os.path.exists(f"{mount}/cgroup.controllers"):
            return Path(mount)
    return pytest.skip("no cgroup v2 here")


@pytest.fixture
def make_cgroup():
    """Makes a cgroup below one of the test's own, and removes what it made."""
    top = cgroup_root() / f"inetdiag-test-{os.getpid()}"

    def make(path):
        try:
            (top / path).mkdir(parents=True)
        except OSError as error:
            pytest.skip(f"no cgroup can be made here: {error.strerror}")
        return top / path

    yield make
    for directory, _, _ in os.walk(top, topdown=False):
        wait_until("the cgroup is empty", lambda d=directory: not Path(d, "cgroup.procs").read_text())
        os.rmdir(directory)


SLICE = f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID.replace('-', '_')}.slice"


@pytest.mark.parametrize(
    "path",
    [
        f"{SLICE}/cri-containerd-{CONTAINER}.scope",
        f"{SLICE}/crio-{CONTAINER}.scope",
        f"kubepods/burstable/pod{UID}/{CONTAINER}",
    ],
    ids=["systemd-containerd", "systemd-crio", "cgroupfs"],
)
def test_a_pod_is_named(start, binary, folder, make_cgroup, inhabit, tmp_path, path):
    (tmp_path / "pods" / f"shop_web-0_{UID}").mkdir(parents=True)
    pod = inhabit(cgroup=make_cgroup(path))
    pod.tell("listen", PORT, 4)
    pod.tell("connect", PORT, 12)
    wait_until("the queue is full", lambda: pod.queue(PORT) == (5, 4))
    folder.pin("cni-1", pod)
    logs = f"--path.pod-logs={tmp_path / 'pods'}"
    expected = {
        "inode": pod.inode,
        "pod_namespace": "shop",
        "pod_name": "web-0",
        "pod_uid": UID,
        "container_id": CONTAINER,
    }
    modes = {"pinned": "cni-1", "processes": pod.inode, "all": "cni-1"}
    if mode_without_process_cannot_tell(pod):
        modes.pop("pinned")
    for mode, label in modes.items():
        arguments = [f"--netns.discover={mode}", f"--path.netns={folder.path}", logs, only(label)]
        exporter = start(*arguments)
        assert info_of(exporter.page(), label) == {"netns": label, **expected}, mode

    findings = json.loads(exporter.get("/api/v1/status")[2])["findings"]
    assert [finding["affected"]["labels"]["netns"] for finding in findings] == ["cni-1"]
    assert findings[0]["affected"]["name"].startswith(f"127.0.0.1:{PORT}")
    assert findings[0]["affected"]["name"].endswith(" in pod shop/web-0")
    assert "in pod shop/web-0" in exporter.page("/")
    done = subprocess.run([binary, "check", "--interval=0s", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "in pod shop/web-0" in done.stdout


def mode_without_process_cannot_tell(pod):
    """Where net_cls or net_prio is in use, sockets know no cgroup."""
    return "cgroup:" not in pod.output_of("ss", "-ltnH", "--cgroup")


def test_processes_come_and_go_and_leave_nothing(start, binary, folder, inhabit):
    """Of a namespace that vanishes midway only its own series are missing."""
    lasting = inhabit()
    folder.pin("lasting", lasting)
    scrapes = 1000 if "san" not in binary else 100
    collectors = [f"--collector.{name}" for name in ("disable-defaults", "listeners", "tcp", "sockstat")]
    # In a user namespace others of the machine can be seen, not entered.
    mode = "all" if may_change_user() else "pinned"
    exporter = start(f"--netns.discover={mode}", f"--path.netns={folder.path}", *collectors)

    def held():
        own = Path("/proc", str(exporter.process.pid))
        return {what: len(os.listdir(own / what)) for what in ("fd", "task")}

    ending = threading.Event()
    turns = threading.Semaphore(0)
    problems = []

    def come_and_go():
        """As containers do: `ip netns` unmounts lazily too, since somebody may just look."""
        try:
            while turns.acquire() and not ending.is_set():
                brief = subprocess.Popen(["unshare", "--net", "sleep", "inf"])
                file = folder.path / "brief"
                file.touch()
                mount = ["mount", "--bind", f"/proc/{brief.pid}/ns/net", file]
                subprocess.run(mount, check=True)
                brief.kill()
                brief.wait()
                subprocess.run(["umount", "--lazy", file], check=True)
        except (OSError, subprocess.SubprocessError) as problem:
            problems.append(problem)

    path = "/metrics?collect[]=netns"
    for _ in range(20):
        exporter.page(path)
    before = held()
    coming = threading.Thread(target=come_and_go)
    coming.start()
    seen = set()
    try:
        for i in range(scrapes):
            if i % 10 == 0:
                turns.release()
            page = exporter.page(path)
            assert success(series_of(page)) == 1, exporter.log
            assert 'inetdiag_netns_info{netns="lasting"' in page
            seen.update(re.findall(r'netns_info\{.*inode="([^"]*)"', page))
    finally:
        ending.set()
        turns.release()
        coming.join()
    assert not problems
    assert len(seen) > 2
    # One thread stays for the next scrape, and a connection is closed after its answer.
    wait_until("nothing is left", lambda: all(held()[what] <= before[what] for what in before))


@pytest.fixture
def as_nobody():
    if os.getuid() != 0 or not shutil.which("setpriv") or not may_change_user():
        pytest.skip("no other user to become")
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_two_capabilities_suffice(start, folder, three, as_nobody, user):
    """As deploy/kubernetes gives them to root, and as a systemd unit gives them to another user."""
    _, _, inhabited = three
    capabilities = "+sys_admin,+sys_ptrace"
    if user == "root":
        command = ["setpriv", f"--bounding-set=-all,{capabilities}", "--inh-caps=-all", "--no-new-privs"]
    else:
        command = [*as_nobody, f"--inh-caps=-all,{capabilities}", f"--ambient-caps={capabilities}", "--no-new-privs"]
    arguments = ["--netns.discover=all", f"--path.netns={folder.path}", only("alpha", "beta", inhabited.inode)]
    exporter = start(*arguments, command=command)
    series = exporter.series()
    status = Path(f"/proc/{exporter.process.pid}/status").read_text()
    assert re.search(r"^CapEff:\t0*280000$", status, re.M)
    assert success(series) == 1, exporter.log
    assert "privileges are missing" not in exporter.log
    for label, somaxconn in (("alpha", 100), ("beta", 200), (inhabited.inode, 300)):
        assert series[f'inetdiag_sysctl_net_core_somaxconn{{netns="{label}"}}'] == somaxconn


@pytest.mark.parametrize(
    ("mode", "capabilities"), [("pinned", 1 << SYS_ADMIN), *((mode, 1 << SYS_ADMIN | 1 << SYS_PTRACE) for mode in ("processes", "all"))]
)
def test_the_sandbox_leaves_what_the_mode_takes(start, folder, inhabit, is_sanitized, mode, capabilities):
    there = inhabit()
    there.tell("listen", PORT, 4)
    folder.pin("there", there)
    label = there.inode if mode == "processes" else "there"
    arguments = [f"--netns.discover={mode}", f"--path.netns={folder.path}", only(label)]
    exporter = start(*arguments, "--collector.tcp.cpu-budget=100%")
    told = of(exporter.series(), label)
    assert success(exporter.series()) == 1, exporter.log
    at = f'{{address="127.0.0.1",port="{PORT}"}}'
    for series in (
        f"inetdiag_listener_accept_queue_limit{at}",
        f"inetdiag_listener_syn_queue_length{at}",
        'inetdiag_tcp_sockets{state="listen"}',
        "inetdiag_nstat_tcpext_listen_drops_total",
        "inetdiag_sysctl_net_core_somaxconn",
        "inetdiag_tcp_time_wait",
    ):
        assert series in told
    if is_sanitized:
        pytest.skip("a sanitizer needs more than the sandbox allows")
    for thread in threads_of(exporter):
        assert {thread["Seccomp"], thread["NoNewPrivs"]} == {"2", "1"}
        assert thread["CapInh"] == thread["CapAmb"] == "0" * 16
        assert int(thread["CapEff"], 16) == int(thread["CapPrm"], 16) == capabilities
        if may_change_user():
            assert int(thread["CapBnd"], 16) == capabilities
    # It would forbid to look at other processes.
    assert ("landlock: the network namespaces of other processes" in exporter.log) == (mode != "pinned")


def test_missing_privileges_are_named(start, binary, folder, three, as_nobody):
    exporter = start("--netns.discover=all", f"--path.netns={folder.path}", command=as_nobody)
    series = exporter.series()
    assert "CAP_SYS_ADMIN, to enter other network namespaces" in exporter.log
    assert "CAP_SYS_PTRACE, to find those of other users' processes" in exporter.log
    assert success(series) == 0
    outcomes = {text: value for text, value in series.items() if "collector_success" in text}
    assert [text for text, value in outcomes.items() if value == 0] == [
        'inetdiag_scrape_collector_success{collector="netns"}'
    ]
    log = exporter.end()[1]
    assert "that takes CAP_SYS_ADMIN" in log
    assert "that takes CAP_SYS_PTRACE" in log
    assert series["inetdiag_netns_skipped"] == series["inetdiag_netns_discovered"] > 0
    done = subprocess.run(
        [*as_nobody, binary, "check", "--interval=0s", "--netns.discover=pinned", f"--path.netns={folder.path}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "collector netns" in done.stdout
    assert "CAP_SYS_ADMIN" in done.stderr and "CAP_SYS_PTRACE" not in done.stderr


def test_folders_that_are_not_there_yet_or_no_folders(start, inhabit, tmp_path):
    absent = start("--netns.discover=pinned", f"--path.netns={tmp_path / 'none'}")
    for _ in range(2):
        series = absent.series()
    assert (success(series), series["inetdiag_netns_discovered"]) == (1, 0)
    late, somebody = Folder(tmp_path / "none"), inhabit()
    late.pin("late", somebody)
    assert absent.series()['inetdiag_sysctl_net_core_somaxconn{netns="late"}'] > 0, absent.log
    late.unpin("late")
    assert absent.end()[1].count(f"cannot read {tmp_path / 'none'}") == 1
    (tmp_path / "file").touch()
    wrong = start("--netns.discover=pinned", f"--path.netns={tmp_path / 'file'}")
    assert success(wrong.series()) == 0
    assert "Not a directory" in wrong.end()[1]


def test_pins_by_symbolic_link_in_the_sandbox(start, folder, inhabit):
    """Which may lead out of the folder, where the sandbox lets nobody read."""
    there, lost = inhabit(), inhabit()
    elsewhere = folder.path.parent / "elsewhere"
    elsewhere.touch()
    subprocess.run(["mount", "--bind", there.file, elsewhere], check=True)
    arguments = ["--netns.discover=pinned", f"--path.netns={folder.path}"]
    try:
        folder.pin("n1", there)
        (folder.path / "alias").symlink_to(elsewhere)
        exporter = start(*arguments)
        if "the sandbox is not whole" in exporter.log:
            pytest.skip("no whole sandbox here: " + exporter.log)
        series = exporter.series()
        assert 'inetdiag_sysctl_net_core_somaxconn{netns="n1"}' in series, exporter.log
        assert (success(series), series["inetdiag_netns_discovered"]) == (1, 1)

        folder.unpin("n1")
        (folder.path / "lost").symlink_to(lost.file)
        series = exporter.series()
        assert (success(series), not of(series, "alias"), not of(series, "lost")) == (0, True, True)
        log = exporter.end()[1]
        for refusal in (f"cannot open {folder.path}/alias", f"cannot look at {folder.path}/lost"):
            assert f"{refusal}: Permission denied; if it is a symbolic link out of the folder" in log

        series = start(*arguments, "--no-sandbox").series()
        assert success(series) == 1
        assert {label for label in ("alias", "lost") if of(series, label)} == {"alias", "lost"}
    finally:
        subprocess.run(["umount", "--lazy", elsewhere], check=True)


def test_each_namespace_has_a_label_of_its_own(start, folder, inhabit):
    first, second, third = inhabit(), inhabit(), inhabit()
    for name, inhabitant in ((b"\xfe", first), (b"\xff", second), (third.inode.encode(), inhabit())):
        folder.pin(os.fsdecode(name), inhabitant)
    replaced = "\N{REPLACEMENT CHARACTER}"
    known = only(f"{replaced}.*", f"{third.inode}.*")
    page = start("--netns.discover=all", f"--path.netns={folder.path}", known).page()
    labels = re.findall(r'^inetdiag_sysctl_net_core_somaxconn\{netns="([^"]*)"', page, re.M)
    expected = [replaced, f"{replaced}-{second.inode}", third.inode, f"{third.inode}-{third.inode}"]
    assert sorted(labels) == sorted(expected)
    assert info_of(page, replaced)["inode"] == first.inode
    assert info_of(page, third.inode)["inode"] != third.inode


def test_families_of_namespaces_are_documented(start, folder, three, request):
    page = start("--netns.discover=pinned", f"--path.netns={folder.path}").page()
    emitted = families_of_other_setups(page, request)
    assert len({family for family in emitted if family.startswith("inetdiag_netns_")}) == 4
    result = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
