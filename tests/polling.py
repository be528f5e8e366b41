"""Waits for a condition, for the end-to-end and the deployment tests."""

import time


def wait_until(what, condition, seconds=120, every=0.02):
    """Returns the first true value of `condition()`. Fails the test after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"timed out waiting until {what}"
        time.sleep(every)
