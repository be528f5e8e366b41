"""`sockets`, compared with ss and the same filters."""

import collections
import errno
import ipaddress
import json
import os
import random
import re
import resource
import socket
import subprocess

import pytest

from conftest import connect_without_waiting, listen, wait_until
from fault_injection import SynFlood, add_black_hole

STATES = {
    "ESTAB": "established",
    "SYN-SENT": "syn_sent",
    "SYN-RECV": "syn_recv",
    "FIN-WAIT-1": "fin_wait1",
    "FIN-WAIT-2": "fin_wait2",
    "TIME-WAIT": "time_wait",
    "UNCONN": "close",
    "CLOSE-WAIT": "close_wait",
    "LAST-ACK": "last_ack",
    "LISTEN": "listen",
    "CLOSING": "closing",
}

SHOWN = {"listening": "LISTEN", "time-wait": "TIME-WAIT", "established": "ESTAB", "syn-recv": "SYN-RECV"}


def connect(port, address="127.0.0.1", server=None):
    """Returns both ends of a connection. A new IPv6 address is not reachable at once."""

    def try_connect():
        try:
            return socket.create_connection((address, port), timeout=60)
        except OSError as error:
            if error.errno != errno.ENETUNREACH:
                raise

    client = wait_until(f"{address} is reachable", try_connect)
    return (client, server.accept()[0]) if server else (client,)


@pytest.fixture
def open_sockets():
    """Opens sockets of both families in several states, some of them IPv4-mapped."""
    for address in ("10.0.0.1/32", "10.1.0.1/32", "192.0.2.1/32"):
        subprocess.run(["ip", "address", "add", address, "dev", "lo"], check=True)
    for address in ("2001:db8::1/128", "2001:db8:8000::1/128", "fe80::1/64"):
        subprocess.run(["ip", "address", "add", address, "dev", "lo", "nodad"], check=True)
    four = listen("0.0.0.0", 8080, backlog=100)
    six = listen("::1", 8443, backlog=100)
    both = socket.socket(socket.AF_INET6)
    both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    both.bind(("::", 9090))
    both.listen(100)
    bound = socket.socket()
    bound.bind(("127.0.0.1", 65535))
    bound.listen(1)
    on_lo = socket.socket(socket.AF_INET6)
    on_lo.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    on_lo.bind(("fe80::1", 7070, 0, socket.if_nametoindex("lo")))
    on_lo.listen(1)
    held = [four, six, both, bound, on_lo]
    for address in ("127.0.0.1", "10.0.0.1", "10.1.0.1", "192.0.2.1"):
        held += connect(8080, address, four)
        held += connect(9090, address, both)
    for address in ("::1", "2001:db8::1", "2001:db8:8000::1"):
        held += connect(9090, address, both)
    client, server = connect(8443, "::1", six)
    held.append(server)
    client.close()  # FIN_WAIT_2 and CLOSE_WAIT
    client, server = connect(8080, "127.0.0.1", four)
    client.send(b"unread")
    held += [client, server]
    client, server = connect(8080, "127.0.0.1", four)
    client.close()
    server.close()  # TIME_WAIT
    final = ["close_wait", "fin_wait2", "time_wait"]

    def closing():
        return sorted({row.state for row in listed_by_ss()} - {"listen", "established"})

    wait_until("the closing sockets are in their final states", lambda: final == closing())
    return held


Row = collections.namedtuple("Row", "state receive_queue send_queue local peer")


def parse_ss_address(text):
    """Returns (address, port). ss prints a dual-stack wildcard as *."""
    address, port = text.rsplit(":", 1)
    return (re.sub(r"%\w+$", "", address).replace("*", "[::]"), 0 if port == "*" else int(port))


def listed_by_ss(*arguments):
    output = subprocess.run(["ss", "-Htan", *arguments], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in output.splitlines()]
    if rows and rows[0][0] not in STATES:  # ss omits the state if it filters by one
        rows = [[SHOWN[arguments[arguments.index("state") + 1]], *row] for row in rows]
    return sorted(
        Row(STATES[row[0]], int(row[1]), int(row[2]), parse_ss_address(row[3]), parse_ss_address(row[4])) for row in rows
    )


def listed(run, *arguments):
    result = run("sockets", "--format=json", *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    rows = map(json.loads, result.stdout.splitlines())
    return sorted(
        Row(
            row["state"],
            row["receive_queue"],
            row["send_queue"],
            (row["local_address"], row["local_port"]),
            (row["peer_address"], row["peer_port"]),
        )
        for row in rows
    )


def of_port(port):
    return f"sport = :{port} or dport = :{port}"


# ss fails with networks of both families in one filter.
MIXED = [("dst [2001:db8::/32]",), ("dst 192.0.2.1",)]


@pytest.mark.parametrize(
    ("arguments", "ss_filters", "minimum"),
    [
        ((), [()], 20),
        (("--state=listen",), [("state", "listening")], 5),
        (("--state=time_wait",), [("state", "time-wait")], 1),
        (("--state=close_wait", "--state=fin_wait2"), [("state", "close-wait", "state", "fin-wait-2")], 2),
        (("--state=syn_sent",), [("state", "syn-sent")], 0),
        (("--family=4",), [("-4",)], 10),
        (("--family=6",), [("-6",)], 8),
        (("--port=8080",), [(of_port(8080),)], 9),
        (("--port=8443", "--port=9090"), [(f"{of_port(8443)} or {of_port(9090)}",)], 9),
        # As ss writes them, and lists.
        (("--state=TIME-WAIT",), [("state", "time-wait")], 1),
        (("--state=CLOSE-WAIT,fin-wait-2",), [("state", "close-wait", "state", "fin-wait-2")], 2),
        (("--state=ESTAB", "--port=8443,9090"), [("state", "established", f"( {of_port(8443)} or {of_port(9090)} )")], 2),
        (("--port=8000-9090",), [("( sport >= :8000 and sport <= :9090 ) or ( dport >= :8000 and dport <= :9090 )",)], 9),
        (("--port=65535",), [(of_port(65535),)], 1),
        (("--port=1",), [(of_port(1),)], 0),
        (("--peer=10.0.0.0/8",), [("dst 10.0.0.0/8",)], 4),
        (("--peer=10.1.0.1",), [("dst 10.1.0.1",)], 2),
        (("--peer=::ffff:10.1.0.1",), [("dst 10.1.0.1",)], 2),
        (("--peer=2001:db8::/33",), [("dst [2001:db8::/33]",)], 2),
        (("--peer=2001:db8::/32", "--peer=192.0.2.1/32"), MIXED, 4),
        (
            ("--family=4", "--state=established", "--port=8080", "--peer=10.0.0.0/8"),
            [("-4", "state", "established", f"( {of_port(8080)} ) and dst 10.0.0.0/8")],
            2,
        ),
    ],
)
def test_lists_the_same_sockets_as_ss(run, open_sockets, arguments, ss_filters, minimum):
    rows = listed(run, *arguments)
    assert rows == sorted({row for ss_filter in ss_filters for row in listed_by_ss(*ss_filter)})
    assert len(rows) >= minimum
    assert len(open_sockets) > 10


def test_peer_filter_0_0_0_0_matches_all_of_ipv4(run, open_sockets):
    rows = listed(run, "--peer=0.0.0.0/0")
    everything = listed(run)
    assert rows == [row for row in everything if "." in row.peer[0]]
    assert 0 < len(rows) < len(everything)
    assert len(open_sockets) > 10


def is_inside(address, network):
    """Returns whether the network contains the address; IPv4-mapped addresses (::ffff:0:0/96) count as IPv4."""
    address = ipaddress.ip_address(address.strip("[]"))
    if network.version == 6 and network.prefixlen >= 96 and network[0].ipv4_mapped:
        network = ipaddress.ip_network(f"{network[0].ipv4_mapped}/{network.prefixlen - 96}")
    if network.version == 4 and address.version == 6:
        address = address.ipv4_mapped
    return address is not None and address in network


def test_random_filters_match_ipaddress(run, open_sockets):
    """Filters all sockets with Python's ipaddress. Prefixes also end within bytes."""
    dice = random.Random(10)
    stable_states = sorted(set(STATES.values()) - {"time_wait"})
    everything = listed(run, *[f"--state={state}" for state in stable_states])
    ports = sorted({port for row in everything for _, port in (row.local, row.peer)})
    peers = sorted({row.peer[0].strip("[]") for row in everything})
    found = 0
    for _ in range(50):
        states = dice.sample(stable_states, dice.choice([2, len(stable_states), len(stable_states)]))
        some_ports = dice.sample(ports, dice.choice([0, 0, 1, 4]))
        family = dice.choice(["", "", "4", "6"])
        networks = []
        for peer in dice.sample(peers, dice.choice([0, 1, 1, 3])):
            max_length = ipaddress.ip_address(peer).max_prefixlen
            prefix = dice.choice([dice.randint(0, max_length), dice.randint(max_length - 8, max_length)])
            networks.append(ipaddress.ip_network(f"{peer}/{prefix}", strict=False))
        arguments = [f"--state={state}" for state in states] + [f"--port={port}" for port in some_ports]
        arguments += [f"--peer={network}" for network in networks] + ([f"--family={family}"] if family else [])
        expected = [
            row
            for row in everything
            if row.state in states
            and (not some_ports or {row.local[1], row.peer[1]} & set(some_ports))
            and (not family or ("[" in row.local[0]) == (family == "6"))
            and (not networks or any(is_inside(row.peer[0], network) for network in networks))
        ]
        assert listed(run, *arguments) == expected, arguments
        found += bool(expected)
    assert 15 < found < 50
    assert len(open_sockets) > 10


def test_many_filters_fit_into_one_request(run, open_sockets):
    ports = [f"--port={port}" for port in range(10_000, 11_500)]
    peers = [f"--peer=2001:db8::{n:x}" for n in range(2, 300)]
    assert listed(run, *ports, "--port=8080", *peers, "--peer=10.0.0.1") == listed_by_ss(
        f"( {of_port(8080)} ) and dst 10.0.0.1"
    )
    result = run("sockets", *[f"--port={port}" for port in range(1, 4000)])
    assert result.returncode == 1
    assert "too many ports and peers" in result.stderr
    assert len(open_sockets) > 10


def test_lists_device_uid_and_inode(run, open_sockets):
    table = run("sockets", "--state=listen", "--port=7070").stdout
    assert re.search(r"^listen +0 +1 +\[fe80::1\]%lo:7070 +\[::\]:\*$", table, re.M)
    row = json.loads(run("sockets", "--state=listen", "--port=7070", "--format=json").stdout)
    on_lo = open_sockets[4]
    assert (row["device"], row["uid"], row["inode"]) == ("lo", os.getuid(), os.fstat(on_lo.fileno()).st_ino)


def info_by_ss(*filters):
    """Returns {(local, peer): (rtt in ms, congestion window, retransmissions in a row)} of established connections."""
    lines = subprocess.run(["ss", "-HtniO", *filters], capture_output=True, text=True, check=True).stdout.splitlines()
    found = {}
    for line in lines:
        words = line.split()
        if (rtt := re.search(r" rtt:([\d.]+)/", line)) and words[0] == "ESTAB":
            retransmissions = re.search(r" backoff:(\d+)", line)
            found[parse_ss_address(words[3]), parse_ss_address(words[4])] = (
                float(rtt[1]),
                int(re.search(r" cwnd:(\d+)", line)[1]),
                int(retransmissions[1]) if retransmissions else 0,
            )
    return found


def test_info_is_that_of_ss(run, start, open_sockets):
    lines = run("sockets", "--info", "--format=json", "--state=established").stdout.splitlines()
    listed = {
        ((row["local_address"], row["local_port"]), (row["peer_address"], row["peer_port"])): (
            pytest.approx(row["info"]["rtt_seconds"] * 1e3, abs=1e-3),
            row["info"]["congestion_window"],
            row["retransmissions"],
        )
        for row in map(json.loads, lines)
    }
    assert len(listed) >= 18
    assert listed == info_by_ss("state", "all")
    series = start("--collector.tcp.info=on", "--collector.tcp.cpu-budget=100%").series()
    at_9090 = info_by_ss("sport = :9090")
    assert series['inetdiag_tcp_port_rtt_seconds_count{port="9090"}'] == len(at_9090) >= 7
    assert series['inetdiag_tcp_port_rtt_seconds_sum{port="9090"}'] == pytest.approx(
        sum(rtt for rtt, _, _ in at_9090.values()) / 1e3, abs=len(at_9090) * 1e-6
    )
    assert series['inetdiag_tcp_port_congestion_window_segments_sum{port="9090"}'] == sum(
        window for _, window, _ in at_9090.values()
    )
    assert series['inetdiag_tcp_port_retransmitted_sockets{port="9090"}'] == 0


def test_summary_matches_ss(run, open_sockets):
    summary = json.loads(run("sockets", "--summary").stdout)
    expected = collections.Counter(row.state for row in listed_by_ss())
    assert {state: count for state, count in summary["states"].items() if count} == expected
    assert set(summary["states"]) == set(STATES.values())
    assert (summary["schema_version"], summary["sockets"]) == (1, sum(expected.values()))
    some = json.loads(run("sockets", "--summary", "--port=8080", "--state=established").stdout)
    assert some["sockets"] == some["states"]["established"] == len(
        listed_by_ss("state", "established", of_port(8080))
    )
    assert len(open_sockets) > 10


def test_lists_half_open_connections(run):
    server = listen(backlog=1)
    clients = connect_without_waiting(server.getsockname()[1], 4)
    wait_until("a client is in SYN_SENT", lambda: listed(run, "--state=syn_sent"))
    assert len(clients) == 4
    add_black_hole()
    flood = SynFlood(8080)
    flood.inject()
    answered = ("--state=syn_recv", "--port=8080")
    wait_until("the SYN queue is full", lambda: len(listed(run, *answered)) == 9)  # one more than the backlog
    assert listed(run, *answered, "--peer=10.99.0.0/16") == listed_by_ss("state", "syn-recv")
    assert listed(run, *answered, "--peer=10.98.0.0/16") == []


def top_of(run, *arguments):
    """Returns (document, {peer: sockets}) of `sockets --top`, which is exact with few peers."""
    result = run("sockets", "--format=json", *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert (document["schema_version"], document["exact"], document["max_error"]) == (1, True, 0)
    assert all(each["at_least"] == each["at_most"] for each in document["peers"])
    counts = [each["at_most"] for each in document["peers"]]
    assert counts == sorted(counts, reverse=True)
    return document, {each["peer"]: each["at_most"] for each in document["peers"]}


def peer_address(row):
    address = ipaddress.ip_address(row.peer[0].strip("[]"))
    return getattr(address, "ipv4_mapped", None) or address


def counted_by_ss(group, *arguments):
    rows = [row for row in listed_by_ss(*arguments) if row.peer[1] != 0]
    return collections.Counter(str(group(peer_address(row))) for row in rows)


def network_of(address):
    return ipaddress.ip_network(f"{address}/{24 if address.version == 4 else 64}", strict=False)


@pytest.fixture
def clients_by_address():
    """Connects several clients from each of a few addresses, to listeners of both families."""
    for address in ("2001:db8::1/128", "2001:db8::2/128", "2001:db8:1::1/128"):
        subprocess.run(["ip", "address", "add", address, "dev", "lo", "nodad"], check=True)
    server = socket.socket(socket.AF_INET6)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind(("::", 8080))
    server.listen(100)
    held = [server]
    numbers = {"127.0.0.2": 7, "127.0.0.3": 3, "127.0.1.4": 5, "2001:db8::1": 4, "2001:db8::2": 2, "2001:db8:1::1": 1}
    for address, number in numbers.items():
        target = "127.0.0.1" if "." in address else "::1"
        for _ in range(number):
            client = wait_until(
                f"{address} can connect",
                lambda address=address, target=target: try_connection(target, 8080, address),
            )
            held += [client, server.accept()[0]]
    return numbers, held


def try_connection(target, port, source):
    try:
        return socket.create_connection((target, port), timeout=60, source_address=(source, 0))
    except OSError as error:
        if error.errno not in (errno.ENETUNREACH, errno.EADDRNOTAVAIL):
            raise


@pytest.mark.parametrize(("top", "group"), [("peer", lambda address: address), ("network", network_of)])
@pytest.mark.parametrize(
    ("arguments", "ss_arguments"),
    [((), ()), (("--family=6",), ("-6",)), (("--peer=127.0.0.0/23",), ("dst 127.0.0.0/23",))],
)
def test_top_peers_match_ss(run, clients_by_address, top, group, arguments, ss_arguments):
    expected = counted_by_ss(group, *ss_arguments)
    document, counts = top_of(run, f"--top={top}", *arguments)
    assert counts == expected
    assert (document["top"], document["sockets"]) == (top, sum(expected.values()))
    assert len(counts) > 1
    assert len(clients_by_address) == 2


def test_top_peers_of_a_port_are_its_clients(run, clients_by_address):
    numbers, held = clients_by_address
    _, counts = top_of(run, "--top=peer", "--port=8080", "--state=established", "--top-count=3")
    assert list(counts) == ["127.0.0.1", "127.0.0.2", "::1"]  # the clients' ends have the server as peer
    _, counts = top_of(run, "--top=peer", "--port=8080", "--peer=127.0.0.0/8", "--peer=2001:db8::/32")
    del counts["127.0.0.1"]
    assert counts == numbers
    assert len(held) > 40


def test_top_peers_of_waiting_connections(run, clients_by_address):
    """Those of the accept queue, without connections that were accepted."""
    waiting = [try_connection("127.0.0.1", 8080, address) for address in ("127.0.0.9", "127.0.0.9", "127.0.0.8")]
    document, counts = top_of(run, "--top=peer", "--port=8080", "--waiting")
    assert counts == {"127.0.0.9": 2, "127.0.0.8": 1}
    (row,) = (line.split() for line in ss_lines("-lHtn", "sport = :8080"))
    assert document["sockets"] == int(row[1]) == len(waiting)
    table = run("sockets", "--top=peer", "--waiting").stdout.splitlines()
    assert table[0].split() == ["SOCKETS", "AT", "LEAST", "SHARE", "PEER"]
    assert table[1].split() == ["2", "2", "66.7%", "127.0.0.9"]
    assert table[-1] == "3 sockets, 2 peers"
    assert len(clients_by_address) == 2


def ss_lines(*arguments):
    return subprocess.run(["ss", *arguments], capture_output=True, text=True, check=True).stdout.splitlines()


def test_top_peers_of_a_syn_flood(run):
    add_black_hole()
    flood = SynFlood(8080)
    flood.inject()
    arguments = ("--port=8080", "--state=syn_recv")
    wait_until("the SYN queue is full", lambda: len(listed(run, *arguments)) == 9)
    _, networks = top_of(run, "--top=network", *arguments)
    assert networks == {"10.99.1.0/24": 9}
    _, peers = top_of(run, "--top=peer", *arguments)
    assert peers == counted_by_ss(lambda address: address, "state", "syn-recv")


def test_top_peers_of_a_named_namespace(run, named_namespace, clients_by_address):
    document, counts = top_of(run, "--top=peer", f"--netns={named_namespace}")
    assert (document["sockets"], counts) == (0, {})
    assert len(clients_by_address) == 2


def test_exits_with_success_if_the_reader_closes(binary):
    server = listen(backlog=4000)
    clients = connect_without_waiting(server.getsockname()[1], 2000)
    for arguments in ([], ["--format=json"]):
        lister = subprocess.Popen([binary, "sockets", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert lister.stdout.readline()
        lister.stdout.close()
        assert lister.wait(timeout=60) == 0
        assert lister.stderr.read() == b""
        lister.stderr.close()
    assert len(clients) == 2000


def test_slow_reader_receives_all_sockets(binary):
    server = listen(backlog=4000)
    clients = connect_without_waiting(server.getsockname()[1], 2000)
    lister = subprocess.Popen([binary, "sockets", "--state=established"], stdout=subprocess.PIPE, text=True)
    with open(f"/proc/{lister.pid}/stat", encoding="ascii") as stat:
        wait_until("the pipe is full", lambda: (stat.seek(0), stat.read())[1].rpartition(")")[2].split()[0] == "S")
    table, _ = lister.communicate(timeout=60)
    assert lister.returncode == 0
    assert len(table.splitlines()) == 1 + 2 * len(clients)


def test_full_disk_sets_the_exit_status(binary):
    with open("/dev/full", "wb") as full:
        result = subprocess.run([binary, "sockets"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode == 1
    assert "No space left on device" in result.stderr


@pytest.fixture
def named_namespace():
    """Creates a namespace with a listener on port 7. Needs to mount below /run."""
    name = f"inetdiag-test-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"cannot create a named network namespace: {made.stderr.strip()}")
    holder = subprocess.Popen(
        ["ip", "netns", "exec", name, "python3", "-c",
         "import socket; s = socket.create_server(('0.0.0.0', 7)); print(flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )
    assert holder.stdout.readline()
    yield name
    holder.communicate(b"\n", timeout=60)
    subprocess.run(["ip", "netns", "delete", name], check=True)


def test_lists_sockets_of_a_named_namespace(run, named_namespace):
    own = listen(port=8)
    assert [row.local for row in listed(run, f"--netns={named_namespace}")] == [("0.0.0.0", 7)]
    assert [row.local for row in listed(run)] == [own.getsockname()]


def test_path_netns_is_where_namespaces_are_pinned(run, named_namespace, tmp_path):
    (tmp_path / "box").symlink_to(f"/run/netns/{named_namespace}")
    rows = listed(run, "--netns=box", f"--path.netns={tmp_path}")
    assert [row.local for row in rows] == [("0.0.0.0", 7)]


def test_namespace_errors_are_reported(run, binary, named_namespace):
    result = subprocess.run(
        ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--reuid=65534", "--clear-groups",
         binary, "sockets", f"--netns={named_namespace}"],
        capture_output=True, text=True, check=False,
    )
    if "setpriv" in result.stderr:
        pytest.skip(f"cannot change the user: {result.stderr.strip()}")
    assert (result.returncode, result.stdout) == (1, "")
    assert "needs CAP_SYS_ADMIN" in result.stderr
    unknown = run("sockets", "--netns=no-such-namespace")
    assert unknown.returncode == 1
    assert "cannot find network namespace 'no-such-namespace' in /run/netns" in unknown.stderr


def peak_kib(pid):
    """Returns the peak of the resident memory as a list, which is empty if the program has exited."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return [int(line.split()[1]) for line in status if line.startswith("VmHWM:")]


@pytest.mark.plain_only
def test_memory_does_not_grow_with_the_number_of_sockets(binary, run):
    """The peak does not rise between the first and the last of 20,000 rows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(20_000, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 200, hard))
    try:
        server = listen(backlog=4096)
        port = server.getsockname()[1]
        held = []
        for _ in range(count // 2):
            held += connect(port, "127.0.0.1", server)
        assert json.loads(run("sockets", "--summary", "--state=established").stdout)["sockets"] == len(held)
        process = subprocess.Popen([binary, "sockets"], stdout=subprocess.PIPE)
        rows, peaks = 0, []
        with process:
            # It blocks until the pipe is read, and so is still running.
            while part := os.read(process.stdout.fileno(), 65536):
                rows += part.count(b"\n")
                peaks += peak_kib(process.pid)
        assert rows > len(held)
        assert peaks[-1] < peaks[0] + 512  # KiB: the rows are 1 MiB and more
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
