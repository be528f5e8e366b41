"""A plain host in this network namespace, with traffic, and the pages of exporters on it."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time

import processes
import subjects

TCP_LISTENERS = 10
UDP_SOCKETS = 5
UNIX_LISTENERS = 20
CONNECTIONS = 5  # of each TCP listener
WAITING = 2  # for accept() at one of them, which accepts them in time
FIRST_PORT = 8000
EXPORTER_PORT = 701  # below the local port range, as node_exporter's
NODE_EXPORTER_PORT = 702
ADDRESS = "10.0.0.1"
SAMPLED_TIMEOUT = 30
# The series are the same with the default, but those by port would be of a dump before there was traffic.
DUMP_IN_EACH_SCRAPE = "--collector.tcp.cpu-budget=100%"


class PlainHost:
    """TCP listeners with connections, UDP sockets and UNIX listeners."""

    def __init__(self, stack, directory):
        def enter(opened):
            return stack.enter_context(contextlib.closing(opened))

        self.listeners = [
            enter(socket.create_server((ADDRESS, FIRST_PORT + number), backlog=128)) for number in range(TCP_LISTENERS)
        ]
        self.datagrams = [enter(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(UDP_SOCKETS)]
        for number, each in enumerate(self.datagrams):
            each.bind((ADDRESS, FIRST_PORT + number))
        for number in range(UNIX_LISTENERS):
            local = enter(socket.socket(socket.AF_UNIX))
            local.bind(str(directory / f"{number}.sock"))
            local.listen()
        self._enter = enter
        self._open = []
        self._waiting = 0

    def connect(self):
        """Opens connections, which wait for accept()."""
        for listener in self.listeners:
            self._open += [self._enter(socket.create_connection(listener.getsockname())) for _ in range(CONNECTIONS)]

    def accept(self):
        servers = [self._enter(each.accept()[0]) for each in self.listeners for _ in range(CONNECTIONS)]
        self._accepted = list(zip(self._open, servers))

    def rotate(self, waiting):
        """Opens a connection to the busiest listener, and accepts the oldest of more than so many that wait."""
        busiest = self.listeners[0]
        self._enter(socket.create_connection(busiest.getsockname()))
        self._waiting += 1
        while self._waiting > waiting:
            self._enter(busiest.accept()[0])
            self._waiting -= 1

    def send(self):
        """Sends over the connections, and opens and closes one at each listener but the busiest."""
        for client, server in self._accepted:
            client.send(b"x" * 1000)
            server.recv(1000)
        for listener in self.listeners[1:]:
            with socket.create_connection(listener.getsockname()), listener.accept()[0]:
                pass
        for each in self.datagrams:
            self.datagrams[0].sendto(b"x", each.getsockname())
            each.recv(1)


def _wait_until_sampled(page):
    """Waits until a sample between two scrapes showed each accept queue. On real hosts any busy listener has these
    series sooner or later."""
    end = time.monotonic() + SAMPLED_TIMEOUT
    while page().count("inetdiag_listener_accept_queue_peak_fill_ratio{") < TCP_LISTENERS:
        if time.monotonic() > end:
            raise RuntimeError("the accept queues were not sampled")
        time.sleep(0.2)


def _add_interface():
    """An interface besides loopback, as a host has."""
    add = ("link add eth0 type veth peer name eth1", "link set eth1 up", "link set eth0 up")
    for command in (*add, f"address add {ADDRESS}/24 dev eth0"):
        subprocess.run(["ip", *command.split()], check=True, stdin=subprocess.DEVNULL)


def real_pages(exporter, node_exporter, seconds):
    """Returns {kind: arguments of Template} and {kind: bytes of a real compressed page}."""
    _add_interface()
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="inetdiag-bench-")))
        host = PlainHost(stack, directory)
        servers = {
            "inetdiag": stack.enter_context(subjects.server([exporter, DUMP_IN_EACH_SCRAPE], EXPORTER_PORT)),
            "node": stack.enter_context(subjects.server([node_exporter], NODE_EXPORTER_PORT)),
        }
        host.connect()
        _wait_until_sampled(servers["inetdiag"].page)
        host.accept()
        host.send()
        for _ in range(WAITING):
            host.rotate(WAITING)
        servers["inetdiag"].page()  # a listener has series of its waiting connections in the next scrape
        first = {kind: server.page() for kind, server in servers.items()}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            host.send()
            host.rotate(2 * WAITING)
            time.sleep(0.1)
        second = {kind: server.page() for kind, server in servers.items()}
        sizes = {kind: server.compressed_bytes() for kind, server in servers.items()}
    own = [os.uname().nodename, ADDRESS]
    arguments = {
        kind: {"first": first[kind], "second": second[kind], "seconds": seconds, "own": own} for kind in servers
    }
    arguments["inetdiag"]["restarting"] = FIRST_PORT + TCP_LISTENERS - 1
    return arguments, sizes


@contextlib.contextmanager
def page_server(port, interval, kinds):
    """Serves the pages of simulated hosts until the end of the block. Yields the process."""
    program = pathlib.Path(__file__).with_name("fleet_server.py")
    with tempfile.NamedTemporaryFile("w", prefix="inetdiag-bench-", suffix=".json") as file:
        json.dump(kinds, file)
        file.flush()
        command = ["/usr/bin/python3", program, port, interval, file.name]
        with processes.coprocess(command, SAMPLED_TIMEOUT) as server:
            server.read_response()
            yield server.process
