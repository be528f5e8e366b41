"""A server for replays, which host.py starts as a process of its own."""

import os
import resource
import socket
import time

MAX_OPEN_FILES = 64


def run(port, work_seconds, open_files):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", port))
    if open_files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_OPEN_FILES, MAX_OPEN_FILES))
        opened = os.dup(listener.fileno())
        while opened < open_files - 1:
            opened = os.dup(listener.fileno())
    listener.listen(128)
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.1)
            continue
        end = time.process_time() + work_seconds
        while time.process_time() < end:
            pass
        connection.close()
