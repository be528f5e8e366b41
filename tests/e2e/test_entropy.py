"""Early at boot the kernel has no entropy: nothing but TLS waits for it."""

import base64
import platform
import re
import sys
from pathlib import Path

import pytest

import no_entropy
from test_access import hash_of  # noqa: F401, a fixture

pytestmark = [
    pytest.mark.plain_only,
    pytest.mark.skipif(platform.machine() not in no_entropy.GETRANDOM, reason="the number of getrandom() is unknown"),
]
NO_ENTROPY = (sys.executable, no_entropy.__file__)


def assert_complete(page):
    successes = re.findall(r"^inetdiag_scrape_collector_success\S* (\d)$", page, re.MULTILINE)
    assert len(successes) > 5
    assert set(successes) == {"1"}


def test_the_exporter_starts_and_stops_without_entropy(start):
    exporter = start(command=NO_ENTROPY)
    assert_complete(exporter.page())
    assert "<h1" in exporter.page("/")
    status, log = exporter.end()
    assert status == 0, log


def test_passwords_are_verified_without_entropy(start, hash_of, tmp_path):  # noqa: F811
    Path(tmp_path, "web.yml").write_text(f"basic_auth_users:\n  scraper: {hash_of('secret')}\n")
    exporter = start(f"--web.config.file={tmp_path}/web.yml", command=NO_ENTROPY)
    for password, status in (("secret", 200), ("wrong", 401), ("secret", 200)):
        credentials = base64.b64encode(f"scraper:{password}".encode()).decode()
        assert exporter.get(headers={"Authorization": f"Basic {credentials}"})[0] == status
