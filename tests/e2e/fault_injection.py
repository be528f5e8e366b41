"""Faults that the tests inject: `inject()` causes one and `clear()` undoes it, both any number of times.

All of them stay in the network namespace of the test and are bounded in number. What only the initial
namespace has (orphans, TCP memory, packet backlogs) comes from a modified copy of the recorded /proc."""

import contextlib
import errno
import fcntl
import os
import re
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path

from conftest import FIXTURES, connect_without_waiting, listen

# Local address on a veth device that drops all packets sent to 10.99.0.0/16.
BLACK_HOLE_IP = "10.99.0.1"

SOL_RAW, ICMP_FILTER = 255, 1
ETH_P_IP, ETH_P_LLDP = 0x0800, 0x88CC
RTMGRP_LINK = 1
SIOCSIFMTU = 0x8922


def add_black_hole():
    for command in (
        "link add hole type veth peer name far",
        "link set hole arp off",
        f"addr add {BLACK_HOLE_IP}/16 dev hole",
        "link set hole up",
        "link set far up",
    ):
        subprocess.run(["ip", *command.split()], check=True)


def add_slow_device(kind, rate="64kbit", limit=3000):
    """Creates the device `slow`, whose queueing discipline, `tbf` or `mq` with one at each queue, sends at this rate.

    Returns the error if the kernel lacks something."""
    shaper = f"tbf rate {rate} burst 2000 limit {limit}"
    qdiscs = [f"root {shaper}"]
    if kind == "mq":
        qdiscs = ["root handle 1: mq", *(f"parent 1:{queue} {shaper}" for queue in (1, 2))]
    for command in (
        "ip link add slow numtxqueues 2 type veth peer name behind numtxqueues 2",
        *(f"tc qdisc add dev slow {qdisc}" for qdisc in qdiscs),
        "ip link set slow arp off",
        "ip addr add 10.97.0.1/24 dev slow",
        "ip link set slow up",
        "ip link set behind up",
    ):
        result = subprocess.run(command.split(), capture_output=True, text=True, check=False)
        if result.returncode:
            return f"{command}: {result.stderr.strip()}"
    return None


def send_over_slow_device(count):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(count):
            with contextlib.suppress(OSError):  # ENOBUFS: the queueing discipline dropped it
                sender.sendto(b"x" * 900, ("10.97.0.2", 9))


def netlink_monitor():
    """Returns a socket for messages about devices, with room for a few."""
    monitor = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    monitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    monitor.bind((0, RTMGRP_LINK))
    return monitor


def change_device(count, after_each=lambda: None):
    """Changes the MTU of lo, of which the kernel notifies programs."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for mtu in range(20000, 20000 + count):
            fcntl.ioctl(control, SIOCSIFMTU, struct.pack("16si20x", b"lo", mtu))
            after_each()


def raw_receiver():
    """Returns a raw socket for ICMP, with room for a few packets."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    return receiver


def send_icmp(count):
    """Sends echo replies to this host."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sender:
        sender.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("I", 0xFFFFFFFF))
        for _ in range(count):
            sender.sendto(b"\0\0\xff\xff\0\0\0\0", ("127.0.0.1", 0))


def send_frames(count, protocol):
    """Sends frames of an Ethernet protocol to this host."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as sender:
        for _ in range(count):
            sender.sendto(b"x", ("lo", protocol))


def packet_receiver(protocol):
    """Returns a packet socket on lo, with room for a few packets."""
    receiver = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    receiver.bind(("lo", protocol))
    return receiver


def read_all(receiver):
    """Reads all that a socket has received."""
    receiver.setblocking(False)
    while True:
        try:
            receiver.recv(10000)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENOBUFS:  # a netlink socket lost messages
                raise


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


class AcceptQueueOverflow:
    """A listener that does not accept, and clients that connect to it."""

    def __init__(self, port, backlog):
        self.port = port
        self.server = listen("0.0.0.0", port, backlog)
        self.clients = []

    def inject(self):
        if len(self.clients) < 60:
            for _ in range(5):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", self.port))
                self.clients.append(client)

    def clear(self):
        close_all(self.clients)
        accept_all(self.server)


class StuckServer:
    """Two sockets of one port with long queues. One does not accept, and some of the clients give up."""

    def __init__(self, port):
        self.port = port
        self.servers = [listen("0.0.0.0", port, 128, [socket.SO_REUSEPORT]) for _ in range(2)]
        self.clients = []

    def inject(self):
        if not self.clients:
            self.clients = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(24)]
            for client in self.clients[:12]:
                client.close()
        accept_all(self.servers[1])

    def clear(self):
        close_all(self.clients)
        for server in self.servers:
            accept_all(server)


class SlowServer:
    """A server that accepts one connection each time, and as many come. Each waits for two seconds or more."""

    def __init__(self, port):
        self.port = port
        self.server = listen("0.0.0.0", port, 128)
        self.clients = []

    def inject(self):
        if not self.clients:
            self.clients = connect_without_waiting(self.port, 15)
            return
        self.clients += connect_without_waiting(self.port, 1)
        self.server.accept()[0].close()
        self.clients.pop(0).close()

    def clear(self):
        close_all(self.clients)
        accept_all(self.server)


class Bursts:
    """As many clients as the accept queue holds, for a moment between the scrapes."""

    def __init__(self, port):
        self.port = port
        self.server = listen("0.0.0.0", port, 32)
        self.injections = 0

    def inject(self):
        self.injections += 1
        if self.injections % 15 == 1:
            clients = connect_without_waiting(self.port, 33)
            time.sleep(0.12)  # for two samples
            accept_all(self.server)
            close_all(clients)

    def clear(self):
        accept_all(self.server)


class HealthyServer:
    """A server with TCP_DEFER_ACCEPT that serves every client. Its socket drops the bare ACKs of the handshakes."""

    def __init__(self, port):
        self.port = port
        self.server = listen(port=port, backlog=30)
        self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 5)
        self.clients = []

    def inject(self):
        for client in self.clients:
            client.send(b"x")
        self.clear()
        self.clients = connect_without_waiting(self.port, 5)

    def clear(self):
        accept_all(self.server)
        close_all(self.clients)


class ShortLivedListener:
    """A listener that drops and closes between two scrapes."""

    def __init__(self, port):
        self.port = port

    def inject(self):
        server = listen(port=self.port, backlog=1)
        clients = connect_without_waiting(self.port, 5)
        server.close()
        close_all(clients)

    def clear(self):
        pass


class SynFlood:
    """SYNs from many addresses that never answer the SYN-ACK."""

    def __init__(self, port):
        self.port = port
        self.server = listen(BLACK_HOLE_IP, port, 8)
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.sent = 0

    def inject(self):
        for _ in range(20):
            self.sent += 1
            source = socket.inet_aton(f"10.99.{1 + self.sent // 250 % 250}.{1 + self.sent % 250}")
            packet = syn_packet(source, socket.inet_aton(BLACK_HOLE_IP), 1024 + self.sent % 60000, self.port)
            self.raw.sendto(packet, (BLACK_HOLE_IP, 0))

    def clear(self):
        accept_all(self.server)


class SynCookiesWithOverflow:
    """A SYN flood, and clients of the same listener that do not fit into its accept queue."""

    def __init__(self, port):
        self.flood = SynFlood(port)
        self.clients = []
        self.injections = 0

    def inject(self):
        self.injections += 1
        if self.injections % 5 == 1:
            self.clear()
            self.flood.inject()
        if len(self.clients) < 40:
            self.clients += connect_without_waiting(self.flood.port, 10, BLACK_HOLE_IP)

    def clear(self):
        close_all(self.clients)
        self.flood.clear()


class LostSynAcks:
    """Clients that repeat their SYN because the SYN-ACK does not reach them."""

    def __init__(self, port):
        self.port = port
        self.server = listen(BLACK_HOLE_IP, port, 128)
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def inject(self):
        for client in range(1, 21):
            source = socket.inet_aton(f"10.99.252.{client}")
            packet = syn_packet(source, socket.inet_aton(BLACK_HOLE_IP), 1024, self.port)
            self.raw.sendto(packet, (BLACK_HOLE_IP, 0))

    def clear(self):
        accept_all(self.server)


def syn_packet(source, destination, source_port, port):
    """Returns an IPv4 packet with a SYN (RFC 791, RFC 9293). The kernel fills in the IP checksum."""
    length = 20

    def segment(checksum):
        return struct.pack("!HHIIBBHHH", source_port, port, 1, 0, length // 4 << 4, 0x02, 65535, checksum, 0)

    pseudo_header = source + destination + struct.pack("!BBH", 0, socket.IPPROTO_TCP, length)
    total = sum(word for (word,) in struct.iter_unpack("!H", pseudo_header + segment(0)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    header = struct.pack("!BBHHHBBH", 4 << 4 | 5, 0, 20 + length, 0, 0, 64, socket.IPPROTO_TCP, 0)
    return header + source + destination + segment(~total & 0xFFFF)


def connected_pair(server):
    server.setblocking(True)
    client = socket.create_connection(server.getsockname())
    return client, server.accept()[0]


class TimeWaitOverflow:
    """More closed connections than tcp_max_tw_buckets allows. clear() raises the limit."""

    def __init__(self):
        self.server = listen(backlog=8)

    def inject(self):
        set_sysctl("net.ipv4.tcp_max_tw_buckets", 20)
        for _ in range(5):
            client, server = connected_pair(self.server)
            client.close()
            server.recv(1)
            server.close()

    def clear(self):
        set_sysctl("net.ipv4.tcp_max_tw_buckets", 10000)


class HungServer:
    """A server that accepts connections and does not read the requests."""

    def __init__(self, port):
        self.server = listen(port=port, backlog=8)
        self.pairs = []

    def inject(self):
        while len(self.pairs) < 120:
            client, server = connected_pair(self.server)
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            self.pairs += (client, server)

    def clear(self):
        close_all(self.pairs)


class PausedClients:
    """Clients of a server that stop reading a stream, so that their windows close. One of them has nothing to read."""

    def __init__(self, port):
        self.server = listen(port=port, backlog=8)
        self.pairs = []
        self.idle = connected_pair(self.server)

    def inject(self):
        while len(self.pairs) < 120:
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.connect(self.server.getsockname())
            server = self.server.accept()[0]
            server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            server.setblocking(False)
            self.pairs += (client, server)
            with contextlib.suppress(BlockingIOError):
                while True:
                    server.send(b"x" * 1000)

    def clear(self):
        close_all(self.pairs)


class CloseWaitLeak:
    """Connections that the client closed and the server does not: more than open in two seconds."""

    def __init__(self, port):
        self.server = listen(port=port, backlog=8)
        self.pairs = []

    def inject(self):
        for _ in range(40):
            if len(self.pairs) < 1600:
                client, server = connected_pair(self.server)
                client.shutdown(socket.SHUT_WR)
                self.pairs += (client, server)

    def clear(self):
        close_all(self.pairs)


class BurstOfCloses:
    """Clients of a healthy server close many connections at once. The server closes them soon after."""

    def __init__(self, port):
        self.leak = CloseWaitLeak(port)
        self.injections = 0

    def inject(self):
        self.injections += 1
        if self.injections % 25 < 3:
            self.leak.inject()
        elif self.injections % 25 == 8:
            self.leak.clear()

    def clear(self):
        self.leak.clear()


class UnansweredConnects:
    """Connections to an address that does not answer, so that the kernel retransmits SYNs."""

    def __init__(self):
        self.clients = []

    def inject(self):
        for _ in range(10):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("10.99.7.7", 9))
            self.clients.append(client)
        while len(self.clients) > 150:
            self.clients.pop(0).close()

    def clear(self):
        close_all(self.clients)


class SlowReaders:
    """Clients that do not read, so that the server's last data and FIN are not acknowledged."""

    def __init__(self):
        self.server = listen(backlog=8)
        self.clients = []

    def inject(self):
        while len(self.clients) < 150:
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            client.connect(self.server.getsockname())
            self.clients.append(client)
            connection = self.server.accept()[0]
            connection.setblocking(False)
            try:
                while True:
                    connection.send(b"x" * 4096)
            except BlockingIOError:
                connection.close()

    def clear(self):
        close_all(self.clients)


class UdpFlood:
    """Datagrams of two clients to a socket that is not read."""

    def __init__(self, port):
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.server.bind(("127.0.0.1", port))
        self.server.setblocking(False)
        self.clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for client in self.clients:
            client.connect(("127.0.0.1", port))

    def inject(self):
        for client in self.clients:
            for _ in range(10):
                client.send(b"x" * 500)

    def clear(self):
        try:
            while True:
                self.server.recv(500)
        except BlockingIOError:
            pass


class UnixAcceptQueueOverflow:
    """A UNIX listener that does not accept, and clients that connect to it."""

    def __init__(self, name, backlog=3):
        self.name = name
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(name)
        self.server.listen(backlog)
        self.clients = []

    def inject(self):
        if len(self.clients) < 10:
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            client.connect_ex(self.name)
            self.clients.append(client)

    def clear(self):
        close_all(self.clients)
        accept_all(self.server)


class UnixDatagramFlood:
    """Datagrams to a UNIX socket that is not read."""

    def __init__(self, name):
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.server.bind(name)
        self.server.setblocking(False)
        self.client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.client.connect(name)
        self.client.setblocking(False)

    def inject(self):
        try:
            while True:
                self.client.send(b"x" * 500)
        except BlockingIOError:
            pass

    def clear(self):
        try:
            while True:
                self.server.recv(500)
        except BlockingIOError:
            pass


class FewPortsLeft:
    """Connections on nine of the ten ports that are the ephemeral ones of a copy of /proc."""

    FIRST_PORT = 10000

    def __init__(self, directory):
        self.directory = directory
        sysctls = directory / "sys" / "net" / "ipv4"
        sysctls.mkdir(parents=True)
        (sysctls / "ip_local_port_range").write_text(f"{self.FIRST_PORT} {self.FIRST_PORT + 9}\n")
        (sysctls / "tcp_tw_reuse").write_text("2\n")
        self.server = listen(backlog=16)
        self.clients = []

    def inject(self):
        while len(self.clients) < 9:
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind(("127.0.0.1", self.FIRST_PORT + len(self.clients)))
            client.connect(self.server.getsockname())
            self.clients += [client]
            self.server.accept()[0].close()

    def clear(self):
        close_all(self.clients)


class SaturatedDevice:
    """More packets than a device can send. `error` says what the kernel lacks for it."""

    def __init__(self):
        self.error = add_slow_device("mq")

    def inject(self):
        if not self.error:
            send_over_slow_device(30)

    def clear(self):
        pass


class SlowReceivers:
    """A netlink, a raw and a packet socket that are read, but not fast enough."""

    def __init__(self):
        self.sockets = [netlink_monitor(), raw_receiver(), packet_receiver(ETH_P_LLDP)]

    def inject(self):
        change_device(10)
        send_icmp(20)
        send_frames(20, ETH_P_LLDP)
        self.clear()

    def clear(self):
        for receiver in self.sockets:
            read_all(receiver)


class ProcfsFault:
    """Bad values in a copy of the recorded /proc, for limits that all namespaces of the host share."""

    def __init__(self, directory):
        self.directory = directory
        shutil.copytree(FIXTURES / "proc", directory)
        self.injections = 0

    def write(self, name, text):
        """Replaces the file atomically, so that a scrape never reads a part of it."""
        part = self.directory / (name + ".part")
        part.write_text(text)
        os.replace(part, self.directory / name)

    def inject(self):
        self.injections += 1
        sockstat = re.sub(r"orphan \d+", "orphan 60000", recorded("net/sockstat"))
        sockstat = re.sub(r"(FRAG: .* memory) \d+", r"\1 4000000", sockstat)
        self.write("net/sockstat", re.sub(r"(TCP: .* mem) \d+", r"\1 300000", sockstat))
        limit = int(recorded("sys/net/netfilter/nf_conntrack_max"))
        self.write("sys/net/netfilter/nf_conntrack_count", f"{limit - 10}\n")
        netstat = recorded("net/netstat").splitlines()
        names_row = next(i for i, line in enumerate(netstat) if line.startswith("TcpExt:"))
        names = netstat[names_row].split()
        columns = [names.index(name) for name in ("TCPAbortOnMemory", "TCPFastOpenListenOverflow")]
        self.increase("net/netstat", names_row + 1, columns, 10)
        snmp = recorded("net/snmp").splitlines()
        names_row = next(i for i, line in enumerate(snmp) if line.startswith("Tcp:"))
        names = snmp[names_row].split()
        self.increase("net/snmp", names_row + 1, [names.index("OutSegs"), names.index("RetransSegs")], 10)
        names = recorded("net/stat/nf_conntrack").splitlines()[0].split()
        self.increase("net/stat/nf_conntrack", 1, [names.index("drop")], 16)
        self.increase("net/softnet_stat", 0, [1], 16)
        self.set_columns("net/stat/arp_cache", entries=1024, **self.neighbour_counters())
        self.write("sys/fs/file-nr", "900000\t0\t1000000\n")
        self.write("net/rt6_stats", "0009 0006 0012 0007 0000 0f00 0000\n")

    def neighbour_counters(self):
        return {"table_fulls": 3 * self.injections, "forced_gc_runs": 1000 + self.injections}

    def set_columns(self, name, **values):
        """Sets columns of a file of /proc/net/stat in all its lines."""
        names, *lines = [line.split() for line in recorded(name).splitlines()]
        for words in lines:
            for column, value in values.items():
                words[names.index(column)] = format(value, "08x")
        self.write(name, "".join(" ".join(words) + "\n" for words in (names, *lines)))

    def increase(self, name, row, columns, base):
        """Sets counters to their recorded value plus three for each injection."""
        lines = recorded(name).splitlines()
        words = lines[row].split()
        for column in columns:
            words[column] = format(int(words[column], base) + 3 * self.injections, "x" if base == 16 else "d")
        lines[row] = " ".join(words)
        self.write(name, "\n".join(lines) + "\n")

    def clear(self):
        for name in ("net/sockstat", "sys/net/netfilter/nf_conntrack_count", "sys/fs/file-nr", "net/rt6_stats"):
            self.write(name, recorded(name))
        self.set_columns("net/stat/arp_cache", **self.neighbour_counters())


def recorded(name):
    return (FIXTURES / "proc" / name).read_text()
