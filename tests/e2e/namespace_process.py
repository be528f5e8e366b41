"""The process that netns.NamespaceProcess starts in a new network namespace.

Executes the commands that it reads from standard input, one a line, and answers each with a line. Exits at
the end of its input, which closes the sockets that it opened."""

import subprocess
import sys

import fault_injection
from conftest import connect_without_waiting, listen
from fault_injection import SynFlood, add_black_hole, set_sysctl

sockets = []
faults = []


def open_listener(port, backlog):
    sockets.append(listen(port=int(port), backlog=int(backlog)))


def connect(port, count):
    sockets.append(connect_without_waiting(int(port), int(count)))


def flood(port):
    add_black_hole()
    faults.append(SynFlood(int(port)))
    inject_faults()


def add_fault(name, *arguments):
    """Adds a class of fault_injection.py to the faults that `inject` and `clear` control."""
    faults.append(getattr(fault_injection, name)(*(int(a) if a.isdigit() else a for a in arguments)))


def inject_faults():
    for fault in faults:
        fault.inject()


def clear_faults():
    for fault in faults:
        fault.clear()


subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
commands = {
    "listen": open_listener,
    "connect": connect,
    "flood": flood,
    "sysctl": set_sysctl,
    "black_hole": add_black_hole,
    "fault": add_fault,
    "inject": inject_faults,
    "clear": clear_faults,
}
print("ready", flush=True)
for line in sys.stdin:
    command, *arguments = line.split()
    commands[command](*arguments)
    print("done", flush=True)
