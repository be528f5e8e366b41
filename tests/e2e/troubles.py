"""What goes wrong in the story: each trouble is made by `press()` and undone by `rest()`, which are
called again and again. All of it happens in a network namespace of the test's own, bounded in number;
what only the initial namespace has (orphans, memory, packet backlogs) comes from a copy of the recorded
/proc, whose files change."""

import os
import re
import shutil
import socket
import struct
import subprocess
from pathlib import Path

from conftest import FIXTURES, listen

HOLE = "10.99.0.1"  # this host, on a device that swallows what is sent to 10.99.0.0/16


def add_black_hole():
    for command in (
        "link add hole type veth peer name far",
        "link set hole arp off",
        f"addr add {HOLE}/16 dev hole",
        "link set hole up",
        "link set far up",
    ):
        subprocess.run(["ip", *command.split()], check=True)


def set_sysctl(name, value):
    Path("/proc/sys", *name.split(".")).write_text(str(value))


def accept_all(server):
    server.setblocking(False)
    try:
        while True:
            server.accept()[0].close()
    except BlockingIOError:
        pass


def close_all(sockets):
    while sockets:
        sockets.pop().close()


class Overflow:
    """A program that does not accept, and clients that wait for it."""

    def __init__(self, port, backlog):
        self.port = port
        self.server = listen("0.0.0.0", port, backlog)
        self.clients = []

    def press(self):
        if len(self.clients) < 60:
            for _ in range(5):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", self.port))
                self.clients.append(client)

    def rest(self):
        close_all(self.clients)
        accept_all(self.server)


class SynFlood:
    """SYNs from many addresses, whose SYN-ACKs nobody answers."""

    def __init__(self, port):
        self.port = port
        self.server = listen(HOLE, port, 8)
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.sent = 0

    def press(self):
        for _ in range(20):
            self.sent += 1
            source = socket.inet_aton(f"10.99.{1 + self.sent // 250 % 250}.{1 + self.sent % 250}")
            self.raw.sendto(syn(source, socket.inet_aton(HOLE), 1024 + self.sent % 60000, self.port), (HOLE, 0))

    def rest(self):
        accept_all(self.server)


def syn(source, destination, source_port, port):
    """An IPv4 packet with a SYN (RFC 791, RFC 9293); the kernel fills in the checksum of IP."""
    length = 20

    def segment(check):
        return struct.pack("!HHIIBBHHH", source_port, port, 1, 0, length // 4 << 4, 0x02, 65535, check, 0)

    pseudo = source + destination + struct.pack("!BBH", 0, socket.IPPROTO_TCP, length)
    total = sum(word for (word,) in struct.iter_unpack("!H", pseudo + segment(0)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    header = struct.pack("!BBHHHBBH", 4 << 4 | 5, 0, 20 + length, 0, 0, 64, socket.IPPROTO_TCP, 0)
    return header + source + destination + segment(~total & 0xFFFF)


def connected_pair(server):
    server.setblocking(True)
    client = socket.create_connection(server.getsockname())
    return client, server.accept()[0]


class TimeWaits:
    """More connections close than tcp_max_tw_buckets allows; resting, the limit is raised."""

    def __init__(self):
        self.server = listen(backlog=8)

    def press(self):
        set_sysctl("net.ipv4.tcp_max_tw_buckets", 20)
        for _ in range(5):
            client, server = connected_pair(self.server)
            client.close()
            server.recv(1)
            server.close()

    def rest(self):
        set_sysctl("net.ipv4.tcp_max_tw_buckets", 10000)


class CloseWaits:
    """Clients that closed, and a program that does not."""

    def __init__(self, port):
        self.server = listen(port=port, backlog=8)
        self.pairs = []

    def press(self):
        for _ in range(1 if len(self.pairs) > 220 else 20):
            if len(self.pairs) < 700:
                client, server = connected_pair(self.server)
                client.shutdown(socket.SHUT_WR)
                self.pairs += (client, server)

    def rest(self):
        close_all(self.pairs)


class Unanswered:
    """connect() to where nobody answers: SYNs are sent again."""

    def __init__(self):
        self.clients = []

    def press(self):
        for _ in range(10):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("10.99.7.7", 9))
            self.clients.append(client)
        while len(self.clients) > 150:
            self.clients.pop(0).close()

    def rest(self):
        close_all(self.clients)


class UdpFlood:
    """Datagrams to a program that does not read."""

    def __init__(self, port):
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.server.bind(("127.0.0.1", port))
        self.server.setblocking(False)
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.connect(("127.0.0.1", port))

    def press(self):
        for _ in range(20):
            self.client.send(b"x" * 500)

    def rest(self):
        try:
            while True:
                self.server.recv(500)
        except BlockingIOError:
            pass


class UnixOverflow:
    def __init__(self, name):
        self.name = name
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(name)
        self.server.listen(3)
        self.clients = []

    def press(self):
        if len(self.clients) < 10:
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            client.connect_ex(self.name)
            self.clients.append(client)

    def rest(self):
        close_all(self.clients)
        accept_all(self.server)


class RecordedProc:
    """A copy of the recorded /proc, for what cannot be done to a host that others use."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(FIXTURES / "proc", folder)
        self.presses = 0

    def write(self, name, text):
        """In one step, as the kernel does."""
        part = self.folder / (name + ".part")
        part.write_text(text)
        os.replace(part, self.folder / name)

    def press(self):
        self.presses += 1
        sockstat = re.sub(r"orphan \d+", "orphan 60000", recorded("net/sockstat"))
        self.write("net/sockstat", re.sub(r"(TCP: .* mem) \d+", r"\1 300000", sockstat))
        limit = int(recorded("sys/net/netfilter/nf_conntrack_max"))
        self.write("sys/net/netfilter/nf_conntrack_count", f"{limit - 10}\n")
        netstat = recorded("net/netstat").splitlines()
        at = next(i for i, line in enumerate(netstat) if line.startswith("TcpExt:"))
        self.grow("net/netstat", at + 1, netstat[at].split().index("TCPAbortOnMemory"), 10)
        names = recorded("net/stat/nf_conntrack").splitlines()[0].split()
        self.grow("net/stat/nf_conntrack", 1, names.index("drop"), 16)
        self.grow("net/softnet_stat", 0, 1, 16)

    def grow(self, name, row, column, base):
        """Adds to what was recorded there three for each press."""
        lines = recorded(name).splitlines()
        words = lines[row].split()
        words[column] = format(int(words[column], base) + 3 * self.presses, "x" if base == 16 else "d")
        lines[row] = " ".join(words)
        self.write(name, "\n".join(lines) + "\n")

    def rest(self):
        for name in ("net/sockstat", "sys/net/netfilter/nf_conntrack_count"):
            self.write(name, recorded(name))


def recorded(name):
    return (FIXTURES / "proc" / name).read_text()
