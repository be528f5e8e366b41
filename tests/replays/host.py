"""Plays one replay in new namespaces, and runs `check` there.

    host.py NAME EXPORTER

Prints a JSON object: the exit status and the document of `check`, what the kernel counted meanwhile, and its
listeners; or the reason why the replay was skipped."""

import contextlib
import ctypes
import fcntl
import heapq
import importlib
import itertools
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent), str(HERE.parent / "e2e")]

import pytest  # noqa: E402
from conftest import CLONE_NEWNET, enter_new_namespace  # noqa: E402
from fault_injection import ProcfsFault, add_slow_device, recorded, syn_packet  # noqa: E402
from netns import NetnsDirectory, libc, unshare_mounts  # noqa: E402
from polling import wait_until  # noqa: E402

SYN, RST, ACK = 2, 4, 16
REUSEPORT = (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
DEFER_ACCEPT = (socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
MPTCP = 262
MORE_FRAGMENTS = 0x2000
skip = pytest.skip


class Link:
    """A network device whose far end is this host again.

    A packet from 10.98.0.1 to 10.98.X.Y comes back as one from 10.98.X.Y to 10.98.0.1: a client that connects to
    10.98.X.Y reaches the listener at 10.98.0.1. `policy(packet)` returns a packet's delay in seconds, or None to
    drop it."""

    ADDRESS = "10.98.0.1"
    TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000

    def __init__(self, policy):
        self.policy = policy
        try:
            self.device = os.open("/dev/net/tun", os.O_RDWR)
        except OSError as error:
            skip(f"cannot open /dev/net/tun: {error.strerror}")
        fcntl.ioctl(self.device, self.TUNSETIFF, struct.pack("16sH22x", b"far", self.IFF_TUN | self.IFF_NO_PI))
        subprocess.run(["ip", "addr", "add", f"{self.ADDRESS}/16", "dev", "far"], check=True)
        subprocess.run(["ip", "link", "set", "far", "up"], check=True)
        threading.Thread(target=self._relay, daemon=True).start()

    def send(self, source, source_port, port, flags=SYN, sequence=1):
        """Sends a segment from the far end to this host."""
        packet = bytearray(syn_packet(socket.inet_aton(source), socket.inet_aton(self.ADDRESS), source_port, port))
        # The checksum of syn_packet() is that of sequence number 1 and flag SYN.
        packet[24:28], packet[33] = struct.pack("!I", sequence), flags
        checksum = struct.unpack("!H", packet[36:38])[0] + SYN - flags + 1 - sequence
        packet[36:38] = struct.pack("!H", checksum % 0xFFFF)
        # Unlike a raw socket, the device does not fill in the checksum of the IP header.
        packet[2:4] = struct.pack("!H", len(packet))
        total = sum(word for (word,) in struct.iter_unpack("!H", bytes(packet[:20])))
        packet[10:12] = struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF)
        os.write(self.device, bytes(packet))

    def send_syns(self, count, port=8080, first=0):
        """Sends SYNs from different ports. The same SYNs again are repeated SYNs."""
        for number in range(first, first + count):
            self.send("10.98.0.9", 10000 + number, port)

    def send_resets(self, count, port=8080):
        """Resets what send_syns() opened."""
        for number in range(count):
            self.send("10.98.0.9", 10000 + number, port, RST, 2)

    def check_health(self, count, port=8080):
        """Opens connections and resets them when the SYN-ACK has arrived, as load balancers do."""
        for number in range(count):
            self.send("10.98.0.9", 30000 + number, port)
            self.send("10.98.0.9", 30000 + number, port, RST, 2)

    def _relay(self):
        delayed = []
        order = itertools.count()
        while True:
            timeout = max(0, delayed[0][0] - time.monotonic()) if delayed else None
            if select.select([self.device], [], [], timeout)[0]:
                packet = os.read(self.device, 65535)
                delay = self.policy(packet) if packet[0] >> 4 == 4 else None
                if delay is not None:
                    swapped = packet[:12] + packet[16:20] + packet[12:16] + packet[20:]
                    heapq.heappush(delayed, (time.monotonic() + delay, next(order), swapped))
            while delayed and delayed[0][0] <= time.monotonic():
                os.write(self.device, heapq.heappop(delayed)[2])


def is_syn_ack(packet):
    return packet[33] == SYN | ACK


class Procfs(ProcfsFault):
    """A copy of the recorded /proc."""

    def use_tcp(self, **values):
        """Sets values of the line `TCP:` of sockstat, such as orphan=10."""
        line = recorded("net/sockstat")
        for name, value in values.items():
            line = re.sub(rf"(TCP: .*{name}) \d+", rf"\1 {value}", line)
        self.write("net/sockstat", line)

    def count(self, name, counter, value):
        """Adds to a counter of the recorded file: of the first CPU, where there is one for each."""
        lines = recorded(name).splitlines()
        names = [line.split() for line in lines]
        row = next((i for i, words in enumerate(names) if counter in words), -1)
        column = counter if row < 0 else names[row].index(counter)
        words = lines[row + 1].split()
        base, form = (10, "d") if name == "net/netstat" else (16, "08x")
        words[column] = format(int(words[column], base) + value, form)
        lines[row + 1] = " ".join(words)
        self.write(name, "\n".join(lines) + "\n")


class TemporaryCgroup:
    """A cgroup of the controller `cpu` or `freezer`, v1 or v2."""

    MOUNT = Path("/sys/fs/cgroup")

    def __init__(self, controller, name):
        is_v1 = (self.MOUNT / controller).is_dir()
        roots = [self.MOUNT / controller] if is_v1 else [self.MOUNT, self.MOUNT / "unified"]
        root = next((r for r in roots if (r / "cgroup.procs").exists()), None)
        if root is None:
            skip(f"this host has no cgroups with {controller}")
        self.directory, self.is_v1 = root / name, is_v1
        try:
            self.directory.mkdir()
        except OSError as error:
            skip(f"cannot create a cgroup: {error}")

    def write(self, name, value):
        try:
            (self.directory / name).write_text(str(value))
        except OSError as error:
            skip(f"cannot write {name} of a cgroup: {error}")

    def add(self, pid):
        self.write("cgroup.procs", pid)

    def freeze(self):
        if self.is_v1:
            self.write("freezer.state", "FROZEN")
            name, text = "freezer.state", "FROZEN"
        else:
            self.write("cgroup.freeze", 1)
            name, text = "cgroup.events", "frozen 1"
        wait_until("the cgroup is frozen", lambda: text in (self.directory / name).read_text(), 10)

    def thaw(self):
        self.write("freezer.state", "THAWED") if self.is_v1 else self.write("cgroup.freeze", 0)

    def set_cpu_quota(self, cpus):
        quota, period = int(cpus * 100_000), 100_000
        if self.is_v1:
            self.write("cpu.cfs_period_us", period)
            self.write("cpu.cfs_quota_us", quota)
        else:
            self.write("cpu.max", f"{quota} {period}")

    def remove(self, process):
        """Removes the cgroup once its process, which was killed, has ended."""
        for name, value in (("freezer.state", "THAWED"), ("cgroup.freeze", "0"), ("cpu.cfs_quota_us", "-1")):
            if (self.directory / name).exists():
                (self.directory / name).write_text(value)
        process.wait()
        wait_until("the cgroup is empty", lambda: not (self.directory / "cgroup.procs").read_text(), 10)
        self.directory.rmdir()


class Host:
    """What a replay does to its host. `flags` are passed to `check`."""

    def __init__(self, directory):
        self.directory = directory
        self.flags = []
        self._kept = []
        self._during_check = []
        self._pinned = None
        self._cgroups = []

    def keep(self, *objects):
        """Keeps sockets open until the end of the replay. Returns the last one."""
        self._kept += objects
        return objects[-1]

    def listen(self, address="0.0.0.0", port=8080, backlog=128, options=(), protocol=0, accept=False):
        """Returns a listener. With `accept`, a thread accepts and keeps its connections."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        server = self.keep(socket.socket(family, socket.SOCK_STREAM, protocol))
        for option in ((socket.SOL_SOCKET, socket.SO_REUSEADDR, 1), *options):
            server.setsockopt(*option)
        server.bind((address, port))
        server.listen(backlog)
        if accept:
            self.accept(server)
        return server

    def accept(self, server, serve=None):
        """Accepts connections in a thread. `serve(connection)` is called for each.

        Without it, they are kept, and the data that is there already is read."""

        def read_and_keep(connection):
            with contextlib.suppress(BlockingIOError):
                connection.recv(4096, socket.MSG_DONTWAIT)
            self.keep(connection)

        serve = serve or read_and_keep

        def accept_forever():
            while True:
                serve(server.accept()[0])

        threading.Thread(target=accept_forever, daemon=True).start()

    def connect(self, count=1, port=8080, address="127.0.0.1"):
        """Returns clients that connect without waiting."""
        clients = []
        for _ in range(count):
            client = self.keep(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET))
            client.setblocking(False)
            client.connect_ex((address, port))
            clients.append(client)
        return clients

    def burst(self, server, count=40, served=None):
        """Lets clients connect at once. When the queue holds as many as `served`, they leave and the server accepts."""
        port = server.getsockname()[1]
        clients = self.connect(count, port)
        self.wait_until_waiting(served or count, port)
        for client in clients:
            client.close()
        self.accept(server)

    def pairs(self, server, count, address=None, receive_buffer=None):
        """Returns [(client, accepted connection)]."""
        result = []
        for _ in range(count):
            client = socket.socket(server.family)
            if receive_buffer:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            client.connect(address or server.getsockname())
            result.append((client, server.accept()[0]))
            self.keep(*result[-1])
        return result

    def connect_with_data(self, count, address, port=8080):
        """Connects with TCP Fast Open."""
        for _ in range(count):
            client = self.keep(socket.socket())
            client.setblocking(False)
            try:
                client.sendto(b"request", socket.MSG_FASTOPEN, (address, port))
            except BlockingIOError:
                pass  # connects without waiting

    @staticmethod
    def send_until_full(connection):
        """Sends until the buffers of both sides are full."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        connection.setblocking(False)
        try:
            while True:
                connection.send(b"x" * 1000)
        except BlockingIOError:
            pass

    def udp(self, port, address="127.0.0.1", receive_buffer=4096, options=()):
        """Returns a UDP socket that nothing reads."""
        server = self.keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        for option in ((socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer), *options):
            server.setsockopt(*option)
        server.bind((address, port))
        return server

    def send_udp(self, port, count, senders=1):
        """Sends datagrams of 100 bytes, each sender its own."""
        for _ in range(senders):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                for _ in range(count):
                    client.sendto(b"x" * 100, ("127.0.0.1", port))

    @staticmethod
    def read_udp(server):
        """Reads datagrams in a thread."""

        def read_forever():
            while True:
                server.recv(1000)

        threading.Thread(target=read_forever, daemon=True).start()

    @staticmethod
    def send_fragments(count, first=0):
        """Sends first fragments of datagrams, whose rest never comes."""
        source = socket.inet_aton("127.0.0.1")
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            for number in range(first, first + count):
                header = (4 << 4 | 5, 0, 1020, number + 1, MORE_FRAGMENTS, 64, socket.IPPROTO_UDP, 0)
                packet = struct.pack("!BBHHHBBH", *header) + source + source + bytes(1000)
                raw.sendto(packet, ("127.0.0.1", 0))

    @staticmethod
    def fragments_bytes():
        sockstat = Path("/proc/thread-self/net/sockstat").read_text()
        return int(re.search(r"FRAG: .*memory (\d+)", sockstat)[1])

    @staticmethod
    def slow_device(kind, **limits):
        if error := add_slow_device(kind, **limits):
            skip(error)

    @staticmethod
    def wait_until_slow_device_is_idle():
        def is_idle():
            show = ["tc", "-s", "qdisc", "show", "dev", "slow"]
            return "backlog 0b" in subprocess.run(show, capture_output=True, text=True, check=True).stdout

        wait_until("the device has sent its queue", is_idle, 10)

    def unix(self, name, backlog=None):
        """Returns a UNIX listener, or without a backlog, a datagram socket. Its path is relative to the directory."""
        server = self.keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM if backlog is None else socket.SOCK_STREAM))
        server.bind(name)
        if backlog is not None:
            server.listen(backlog)
        return server

    def connect_unix(self, name, count):
        """Returns the clients that could connect without waiting."""
        clients = []
        for _ in range(count):
            client = self.keep(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            if client.connect_ex(name) == 0:
                clients.append(client)
        return clients

    def fill_unix(self, name, most=1000):
        """Sends datagrams to a UNIX socket until it takes no more. Returns the sender."""
        sender = self.keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        sender.setblocking(False)
        sender.connect(name)
        try:
            for _ in range(most):
                sender.send(b"x")
        except BlockingIOError:
            pass
        return sender

    def repeat(self, function, every=0.05):
        """Calls a function again and again, until after the check."""

        def call():
            while True:
                function()
                time.sleep(every)

        function()
        threading.Thread(target=call, daemon=True).start()

    def repeat_requests(self):
        """Opens connections again and again, which send a request some time later."""
        clients = []

        def send_and_connect():
            for client in clients:
                client.send(b"request")
            clients[:] = self.connect(10)

        self.repeat(send_and_connect)

    def during_check(self, function):
        """Calls a function between the two snapshots."""
        self._during_check.append(function)

    def set_sysctl(self, name, value):
        path = Path("/proc/sys", *name.split("."))
        if not path.exists():
            skip(f"this kernel has no {name}")
        path.write_text(str(value))

    def procfs(self):
        """Makes `check` read a copy of the recorded /proc, which the replay may change."""
        self.flags.append(f"--path.procfs={self.directory / 'proc'}")
        return Procfs(self.directory / "proc")

    @contextlib.contextmanager
    def other_namespace(self, name):
        """Runs the block in a new network namespace, which is pinned under `name`."""
        if self._pinned is None:
            self._pinned = NetnsDirectory(self.directory / "netns")
            self.flags += ["--netns.discover=pinned", f"--path.netns={self._pinned.path}"]
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        enter_new_namespace()
        self._pinned.pin(name, SimpleNamespace(file="/proc/thread-self/ns/net"))
        yield
        if libc.setns(own, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    @staticmethod
    def sockets(*filters):
        """Returns the lines of ss."""
        lines = subprocess.run(["ss", "-HnOmi", *filters], capture_output=True, text=True, check=True).stdout
        return lines.splitlines()

    def waiting(self, port=8080):
        """Returns how many connections wait in the accept queues of a port."""
        return sum(int(line.split()[1]) for line in self.sockets("-lt", f"sport = {port}"))

    def half_open(self, port=8080):
        return len(self.sockets("-t", "state", "syn-recv", f"sport = {port}"))

    def wait_until_none_waits(self, port=8080):
        wait_until("all connections are accepted", lambda: self.waiting(port) == 0, 10)

    def wait_until_half_open(self, count, port=8080):
        wait_until(f"{count} connections are half-open", lambda: self.half_open(port) == count, 10)

    def wait_for_state(self, state, count):
        """Waits until as many TCP sockets are in a state of ss, such as fin-wait-1."""
        wait_until(f"{count} sockets are in {state}", lambda: len(self.sockets("-t", "state", state)) == count, 10)

    def wait_until_unread(self, count, port=8080):
        """Waits until this number of connections to a port have bytes that the program has not read."""

        def unread():
            lines = self.sockets("-t", "state", "established", f"sport = {port}")
            return sum(line.split()[0] != "0" for line in lines) >= count

        wait_until(f"{count} connections have unread bytes", unread, 10)

    def wait_until_probing(self, count):
        """Waits until this number of connections probe the closed window of their peer, and the next probe is so
        far that a check ends before it, even on a busy machine."""

        def probing():
            lines = self.sockets("-to", "state", "established")
            return sum(bool(re.search(r"timer:\(persist,([4-9]|[1-9]\d+)(\.\d+)?sec", line)) for line in lines) >= count

        wait_until(f"{count} connections probe windows", probing, 30)

    def wait_until_counted(self, counter, count):
        """Waits until a counter of the namespace, such as TcpExtListenDrops, is at least `count`."""
        wait_until(f"{counter} is {count}", lambda: counters()[counter] >= count, 10)

    def server_process(self, port=8080, work_seconds=0.0, open_files=0):
        """Returns a process that accepts connections, computes for a time and closes them.

        With `open_files`, it first opens files up to this number; its limit is 64."""
        arguments = f"{port}, {work_seconds}, {open_files}"
        code = f"import sys; sys.path.append({str(HERE)!r}); import server; server.run({arguments})"
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = self.keep(subprocess.Popen([sys.executable, "-c", code], **silent))
        wait_until("the process listens", lambda: self.sockets("-lt", f"sport = {port}"), 10)
        return process

    def worker_process(self, listener):
        """Returns a child that has the listener too, accepts its connections and closes them."""
        code = f"import socket\nlistener = socket.socket(fileno={listener.fileno()})\nwhile True: listener.accept()"
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return self.keep(subprocess.Popen([sys.executable, "-c", code], pass_fds=(listener.fileno(),), **silent))

    def cgroup(self, controller, process):
        """Moves a process to a new cgroup, which is removed after the check."""
        cgroup = TemporaryCgroup(controller, f"inetdiag-replay-{os.getpid()}")
        self._cgroups.append((cgroup, process))
        cgroup.add(process.pid)
        return cgroup

    def remove_cgroups(self):
        for cgroup, process in self._cgroups:
            process.kill()
            cgroup.remove(process)

    @staticmethod
    def stop(process):
        """Stops a process. Until it has stopped, it may accept a connection."""
        process.send_signal(signal.SIGSTOP)
        stat = Path(f"/proc/{process.pid}/stat")
        wait_until("the process has stopped", lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", 10)

    @staticmethod
    def idle_seconds(connection):
        """Returns the time since a connection received data, or since it was established (tcpi_last_data_recv)."""
        return struct.unpack_from("I", connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 64), 52)[0] / 1000

    def wait_until_waiting(self, count, port=8080, seconds=0.0):
        """Waits until connections are in the accept queue, all of them for a time."""
        wait_until(f"{count} connections wait", lambda: self.waiting(port) >= count, 10)

        def ages():
            lines = self.sockets("-t", "state", "established", "state", "close-wait", f"sport = {port}")
            return [int(age) for line in lines for age in re.findall(r"lastsnd:(\d+)", line)]

        if seconds:
            wait_until("they wait long enough", lambda: min(ages(), default=0) >= seconds * 1000, 10)

    def check(self, exporter):
        """Runs `check`, and returns what it and the kernel say."""
        before, listeners_before = counters(), self.sockets("-lt")
        process = subprocess.Popen(
            [exporter, "check", "--format=json", "--interval=1s", *self.flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if self._during_check:
            sleeps = Path(f"/proc/{process.pid}/wchan")
            wait_until("check sleeps between its snapshots", lambda: "nanosleep" in sleeps.read_text(), 10, 0.005)
            for function in self._during_check:
                function()
        output, errors = process.communicate()
        after = counters()
        return {
            "status": process.returncode,
            "document": json.loads(output) if output else None,
            "errors": errors,
            "counted": {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)},
            "listeners": [*listeners_before, "after", *self.sockets("-lt")],
        }


def counters():
    values = {}
    for file in ("netstat", "snmp"):
        lines = Path("/proc/thread-self/net", file).read_text().splitlines()
        for names, numbers in zip(lines[::2], lines[1::2]):
            group, *names = names.replace(":", "").split()
            values |= {group + name: int(number) for name, number in zip(names, numbers.split()[1:])}
    return values


def main(name, exporter):
    """Plays a replay. The working directory is empty, and removed by the caller."""
    try:
        unshare_mounts()
        enter_new_namespace()
        host = Host(Path.cwd())
        try:
            importlib.import_module(name).replay(host)
            result = host.check(exporter)
        finally:
            host.remove_cgroups()
    except skip.Exception as reason:
        result = {"skipped": str(reason)}
    print(json.dumps(result), flush=True)
    os._exit(0)  # with threads that still run


if __name__ == "__main__":
    main(*sys.argv[1:])
