"""A process that lives in a network namespace: does there what the lines of its standard input ask for,
and answers each with a line. It ends with its input."""

import subprocess
import sys

import troubles
from conftest import connect_without_waiting, listen
from troubles import SynFlood, add_black_hole, set_sysctl

kept = []
pressed = []


def do_listen(port, backlog):
    kept.append(listen(port=int(port), backlog=int(backlog)))


def do_connect(port, count):
    kept.append(connect_without_waiting(int(port), int(count)))


def do_flood(port):
    add_black_hole()
    flood = SynFlood(int(port))
    flood.press()
    kept.append(flood)


def do_trouble(name, *arguments):
    """One of troubles.py, which `press` and `rest` are for."""
    pressed.append(getattr(troubles, name)(*(int(a) if a.isdigit() else a for a in arguments)))


def do_press():
    for trouble in pressed:
        trouble.press()


def do_rest():
    for trouble in pressed:
        trouble.rest()


subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
actions = {
    "listen": do_listen,
    "connect": do_connect,
    "flood": do_flood,
    "sysctl": set_sysctl,
    "black_hole": add_black_hole,
    "trouble": do_trouble,
    "press": do_press,
    "rest": do_rest,
}
print("here", flush=True)
for line in sys.stdin:
    action, *arguments = line.split()
    actions[action](*arguments)
    print("done", flush=True)
