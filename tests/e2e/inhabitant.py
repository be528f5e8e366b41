"""A process that lives in a network namespace: does there what the lines of its standard input ask for,
and answers each with a line. It ends with its input."""

import subprocess
import sys

from conftest import connect_without_waiting, listen
from troubles import SynFlood, add_black_hole, set_sysctl

kept = []


def do_listen(port, backlog):
    kept.append(listen(port=int(port), backlog=int(backlog)))


def do_connect(port, count):
    kept.append(connect_without_waiting(int(port), int(count)))


def do_flood(port):
    add_black_hole()
    flood = SynFlood(int(port))
    flood.press()
    kept.append(flood)


subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
actions = {"listen": do_listen, "connect": do_connect, "flood": do_flood, "sysctl": set_sysctl}
print("here", flush=True)
for line in sys.stdin:
    action, *arguments = line.split()
    actions[action](*arguments)
    print("done", flush=True)
