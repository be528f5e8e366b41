"""A network namespace for the tests of deployment and of releases."""

import ctypes
import os
import subprocess

import pytest

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def network():
    """Runs the test in a new network namespace with loopback up."""
    with open("/proc/self/ns/net", "rb") as original:
        if LIBC.unshare(CLONE_NEWNET) != 0:
            pytest.skip(f"cannot create a network namespace: {os.strerror(ctypes.get_errno())}")
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            assert LIBC.setns(original.fileno(), CLONE_NEWNET) == 0
